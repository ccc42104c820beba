-- name: TaskHistory :many
SELECT * FROM events WHERE aggregate_id = $1 AND aggregate = 'task' AND seq < $2 ORDER BY seq DESC LIMIT $3;

-- name: EventsAfter :many
SELECT * FROM events WHERE shard = 0 AND pos > $1 ORDER BY pos LIMIT $2;

-- name: ProjectEventsAfter :many
SELECT * FROM events WHERE project_id = $1 AND pos > $2 ORDER BY pos LIMIT $3;

-- name: LastPos :one
SELECT COALESCE(MAX(given), 0)::bigint FROM relay_positions WHERE shard = 0;

-- Newest first within each aggregate, which is the order in which they are undone.
-- name: EventsSince :many
SELECT * FROM events WHERE project_id = $1 AND occurred > $2 ORDER BY seq DESC;
