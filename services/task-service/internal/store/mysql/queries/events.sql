-- name: TaskHistory :many
SELECT * FROM events WHERE aggregate_id = ? AND aggregate = 'task' AND seq < ? ORDER BY seq DESC LIMIT ?;

-- name: EventsAfter :many
SELECT * FROM events WHERE shard = 0 AND pos > ? ORDER BY pos LIMIT ?;

-- name: ProjectEventsAfter :many
SELECT * FROM events WHERE project_id = ? AND pos > ? ORDER BY pos LIMIT ?;

-- name: LastPos :one
SELECT CAST(COALESCE(MAX(given), 0) AS SIGNED) FROM relay_positions WHERE shard = 0;

-- Newest first within each aggregate, which is the order in which they are undone.
-- name: EventsSince :many
SELECT * FROM events WHERE project_id = ? AND occurred > ? ORDER BY seq DESC;
