-- name: CountPositions :one
SELECT COUNT(*) FROM events WHERE shard = sqlc.arg(shard) AND pos > 0 AND pos <= sqlc.arg(until_pos);

-- name: SourceTasks :many
SELECT id, project_id, number, state_id, priority, assignees, labels, due_date, estimate, created, started, completed, trashed
FROM tasks WHERE id > sqlc.arg(after) ORDER BY id LIMIT ?;

-- name: ProjectedTasks :many
SELECT task_id, project_id, number, state_id, priority, assignees, labels, due_date, estimate, created, entered, started,
  completed, trashed, seq
FROM stats_tasks WHERE generation = sqlc.arg(generation) AND task_id > sqlc.arg(after) AND task_id <= sqlc.arg(until_id)
ORDER BY task_id;

-- name: ProjectedTransitions :many
SELECT task_id, project_id, seq, at, from_state, to_state FROM stats_transitions
WHERE generation = sqlc.arg(generation) AND task_id > sqlc.arg(after) AND task_id <= sqlc.arg(until_id)
ORDER BY task_id, seq;

-- name: SourceEvents :many
SELECT pos, project_id, aggregate, aggregate_id, seq, kind, changes, occurred, recorded, traceparent
FROM events WHERE aggregate_id > sqlc.arg(after) AND aggregate_id <= sqlc.arg(until_id) AND aggregate = 'task'
ORDER BY aggregate_id, seq;

-- name: SourceProjects :many
SELECT id, seq FROM projects ORDER BY id;

-- name: SourceStates :many
SELECT id, name, category, wip_limit, archived FROM states WHERE project_id = sqlc.arg(project_id);

-- name: AllParked :many
SELECT aggregate_id FROM stats_parked WHERE generation = sqlc.arg(generation);
