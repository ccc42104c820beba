-- name: ActiveCursor :one
SELECT generation, pos, epoch, applied_at FROM stats_cursor WHERE shard = sqlc.arg(shard) AND role = 'active';

-- name: LockCursor :one
SELECT generation, role, pos, epoch, applied_at FROM stats_cursor WHERE shard = sqlc.arg(shard) AND generation = sqlc.arg(generation) FOR UPDATE;

-- name: AdvanceCursor :execrows
UPDATE stats_cursor SET pos = sqlc.arg(to_pos), epoch = sqlc.arg(epoch), applied_at = sqlc.arg(applied_at)
WHERE shard = sqlc.arg(shard) AND generation = sqlc.arg(generation) AND pos = sqlc.arg(from_pos) AND epoch <= sqlc.arg(fence);

-- name: Generations :many
SELECT generation, role, pos FROM stats_cursor WHERE shard = sqlc.arg(shard) ORDER BY generation;

-- name: LockGenerations :many
SELECT generation, role, pos, epoch FROM stats_cursor WHERE shard = sqlc.arg(shard) ORDER BY generation FOR UPDATE;

-- name: InsertCursor :exec
INSERT INTO stats_cursor (shard, generation, role, pos, epoch, applied_at)
VALUES (sqlc.arg(shard), sqlc.arg(generation), 'building', 0, 0, sqlc.arg(applied_at));

-- name: SetRole :execrows
UPDATE stats_cursor SET role = sqlc.arg(role), epoch = sqlc.arg(epoch) WHERE shard = sqlc.arg(shard) AND generation = sqlc.arg(generation);

-- name: DeleteCursor :exec
DELETE FROM stats_cursor WHERE shard = sqlc.arg(shard) AND generation = sqlc.arg(generation) AND role <> 'active';

-- name: Head :one
SELECT COALESCE(MAX(pos), 0)::bigint AS head FROM events WHERE shard = sqlc.arg(shard);

-- name: RecordedAt :one
SELECT recorded FROM events WHERE shard = sqlc.arg(shard) AND pos = sqlc.arg(pos);

-- The first of them in the index will do; sorting would read all of them while the relay is away.
-- name: RecordedUnpositioned :one
SELECT recorded FROM events WHERE shard = sqlc.arg(shard) AND pos IS NULL LIMIT 1;

-- name: EventsAfter :many
SELECT pos, project_id, aggregate, aggregate_id, seq, kind, changes, occurred, recorded, traceparent
FROM events WHERE shard = sqlc.arg(shard) AND pos > sqlc.arg(after) AND pos <= sqlc.arg(until_pos) ORDER BY pos LIMIT sqlc.arg(max_rows)::bigint;

-- name: ParkedEvents :many
SELECT e.pos, e.project_id, e.aggregate, e.aggregate_id, e.seq, e.kind, e.changes, e.occurred, e.recorded, e.traceparent
FROM stats_parked_events p JOIN events e ON e.shard = sqlc.arg(shard) AND e.pos = p.pos
WHERE p.generation = sqlc.arg(generation) AND p.aggregate_id = sqlc.arg(aggregate_id) ORDER BY e.seq LIMIT sqlc.arg(max_rows)::bigint;
