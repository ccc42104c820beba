-- name: EventsOfTasks :many
SELECT * FROM events WHERE aggregate_id = ANY(sqlc.arg(tasks)::uuid[]) ORDER BY aggregate_id, seq;

-- name: CommentsOfTasks :many
SELECT * FROM comments WHERE task_id = ANY(sqlc.arg(tasks)::uuid[]) ORDER BY created, id;

-- name: RelationsOfTasks :many
SELECT * FROM relations WHERE from_id = ANY(sqlc.arg(tasks)::uuid[]) ORDER BY created, to_id;
