-- name: TasksByID :many
SELECT task_id, project_id, number, state_id, priority, assignees, labels, due_date, estimate, created, entered, started,
  completed, trashed, seq
FROM stats_tasks WHERE generation = sqlc.arg(generation) AND task_id IN (sqlc.slice('ids'));

-- name: ProjectsByID :many
SELECT project_id, seq, applied, revision FROM stats_projects WHERE generation = sqlc.arg(generation) AND project_id IN (sqlc.slice('ids'));

-- name: StatesByProject :many
SELECT state_id, project_id, name, category, position, wip_limit, archived
FROM stats_states WHERE generation = sqlc.arg(generation) AND project_id IN (sqlc.slice('ids')) ORDER BY project_id, position, state_id;

-- name: ParkedByID :many
SELECT aggregate_id, aggregate, project_id, pos, seq, reason, since, attempts, events
FROM stats_parked WHERE generation = sqlc.arg(generation) AND aggregate_id IN (sqlc.slice('ids'));

-- name: ParkedList :many
SELECT aggregate_id, aggregate, project_id, pos, seq, reason, since, attempts, events
FROM stats_parked WHERE generation = sqlc.arg(generation) ORDER BY pos LIMIT ?;

-- name: ParkedCount :one
SELECT COUNT(*) FROM stats_parked WHERE generation = sqlc.arg(generation);

-- name: DeleteParked :exec
DELETE FROM stats_parked WHERE generation = sqlc.arg(generation) AND aggregate_id = sqlc.arg(aggregate_id);

-- name: DeleteParkedEvents :execrows
DELETE FROM stats_parked_events
WHERE generation = sqlc.arg(generation) AND aggregate_id = sqlc.arg(aggregate_id) AND pos IN (sqlc.slice('positions'));
