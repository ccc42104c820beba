-- name: LockRelay :one
SELECT epoch, given, published FROM relay_positions WHERE shard = ? FOR UPDATE;

-- name: RelayPositions :one
SELECT epoch, given, published FROM relay_positions WHERE shard = ?;

-- SKIP LOCKED passes over rows of transactions that are not committed yet instead of waiting for them.
-- name: WaitingEvents :many
SELECT id FROM events WHERE shard = ? AND pos IS NULL ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED;

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
