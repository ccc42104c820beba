-- name: LockRelay :one
SELECT epoch, given, published FROM relay_positions WHERE shard = ? FOR UPDATE;

-- name: RelayPositions :one
SELECT epoch, given, published FROM relay_positions WHERE shard = ?;

-- A plain read: it sees each transaction whole or not at all. Locking reads do not: with SKIP LOCKED, InnoDB passes over those
-- rows of a transaction whose locks it is still releasing, and the rest would get their positions first. The lock on the
-- row of relay_positions keeps other relays out.
-- name: WaitingEvents :many
SELECT id FROM events WHERE shard = ? AND pos IS NULL ORDER BY id LIMIT ?;

-- name: SetGiven :exec
UPDATE relay_positions SET epoch = ?, given = ? WHERE shard = ?;

-- name: SetPublished :exec
UPDATE relay_positions SET epoch = ?, published = ? WHERE shard = ?;

-- name: SetEpoch :exec
UPDATE relay_positions SET epoch = ? WHERE shard = ?;

-- name: Unpublished :many
SELECT * FROM events WHERE shard = ? AND pos > ? ORDER BY pos LIMIT ?;

-- name: CountWaiting :one
SELECT COUNT(*) FROM events WHERE shard = ? AND pos IS NULL;

-- name: OldestWaiting :one
SELECT recorded FROM events WHERE shard = ? AND pos IS NULL ORDER BY id LIMIT 1;

-- name: ForgetIdempotency :execrows
DELETE FROM idempotency WHERE created < ? ORDER BY created LIMIT ?;
