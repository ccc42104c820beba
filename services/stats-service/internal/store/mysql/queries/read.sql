-- name: ProjectByKey :one
SELECT id, pkey, name FROM projects WHERE pkey = sqlc.arg(pkey);

-- name: TasksPage :many
SELECT task_id, project_id, number, state_id, priority, assignees, labels, due_date, estimate, created, entered, started,
  completed, trashed, seq
FROM stats_tasks WHERE generation = sqlc.arg(generation) AND project_id = sqlc.arg(project_id) AND task_id > sqlc.arg(after)
ORDER BY task_id LIMIT ?;

-- The first condition on task_id bounds the range in the index; the second leaves out what the last page had of its task.
-- name: TransitionsPage :many
SELECT task_id, seq, at, from_state, to_state FROM stats_transitions
WHERE generation = sqlc.arg(generation) AND project_id = sqlc.arg(project_id) AND task_id >= sqlc.arg(after)
  AND (task_id > sqlc.arg(after) OR seq > sqlc.arg(after_seq))
ORDER BY task_id, seq LIMIT ?;

-- name: Titles :many
SELECT id, title FROM tasks WHERE id IN (sqlc.slice('ids'));
