-- Retired generations are deleted in portions, so that no transaction grows large.

-- name: CleanTasks :execrows
DELETE FROM stats_tasks WHERE generation = ? LIMIT ?;

-- name: CleanTransitions :execrows
DELETE FROM stats_transitions WHERE generation = ? LIMIT ?;

-- name: CleanStates :execrows
DELETE FROM stats_states WHERE generation = ? LIMIT ?;

-- name: CleanProjects :execrows
DELETE FROM stats_projects WHERE generation = ? LIMIT ?;

-- name: CleanParked :execrows
DELETE FROM stats_parked WHERE generation = ? LIMIT ?;

-- name: CleanParkedEvents :execrows
DELETE FROM stats_parked_events WHERE generation = ? LIMIT ?;
