-- name: EventsOfTasks :many
SELECT * FROM events WHERE aggregate_id IN (sqlc.slice('tasks')) ORDER BY aggregate_id, seq;

-- name: CommentsOfTasks :many
SELECT * FROM comments WHERE task_id IN (sqlc.slice('tasks')) ORDER BY created, id;

-- name: RelationsOfTasks :many
SELECT * FROM relations WHERE from_id IN (sqlc.slice('tasks')) ORDER BY created, to_id;
