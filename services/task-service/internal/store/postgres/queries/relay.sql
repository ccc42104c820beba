-- name: LockRelay :one
SELECT epoch, given, published FROM relay_positions WHERE shard = $1 FOR UPDATE;

-- name: RelayPositions :one
SELECT epoch, given, published FROM relay_positions WHERE shard = $1;

-- A plain read: it sees each transaction whole or not at all. Locking reads do not: with SKIP LOCKED, InnoDB passes over those
-- rows of a transaction whose locks it is still releasing, and the rest would get their positions first. The lock on the
-- row of relay_positions keeps other relays out.
-- name: WaitingEvents :many
SELECT id FROM events WHERE shard = $1 AND pos IS NULL ORDER BY id LIMIT $2;

-- name: SetGiven :exec
UPDATE relay_positions SET epoch = $1, given = $2 WHERE shard = $3;

-- name: SetPublished :exec
UPDATE relay_positions SET epoch = $1, published = $2 WHERE shard = $3;

-- name: SetEpoch :exec
UPDATE relay_positions SET epoch = $1 WHERE shard = $2;

-- name: Unpublished :many
SELECT * FROM events WHERE shard = $1 AND pos > $2 ORDER BY pos LIMIT $3;

-- name: CountWaiting :one
SELECT COUNT(*) FROM events WHERE shard = $1 AND pos IS NULL;

-- name: OldestWaiting :one
SELECT recorded FROM events WHERE shard = $1 AND pos IS NULL ORDER BY id LIMIT 1;

-- name: ForgetIdempotency :execrows
DELETE FROM idempotency WHERE (actor, ikey) IN (SELECT i.actor, i.ikey FROM idempotency i WHERE i.created < $1 ORDER BY i.created LIMIT $2);

-- name: GivePositions :exec
UPDATE events e SET pos = g.pos FROM (SELECT unnest(@ids::bigint[]) AS id, unnest(@positions::bigint[]) AS pos) g WHERE e.id = g.id;
