-- Retired generations are deleted in portions, so that no transaction grows large.

-- name: CleanTasks :execrows
DELETE FROM stats_tasks AS d WHERE d.ctid = ANY(ARRAY(SELECT s.ctid FROM stats_tasks AS s WHERE s.generation = sqlc.arg(generation) LIMIT sqlc.arg(max_rows)::bigint));

-- name: CleanTransitions :execrows
DELETE FROM stats_transitions AS d WHERE d.ctid = ANY(ARRAY(SELECT s.ctid FROM stats_transitions AS s WHERE s.generation = sqlc.arg(generation) LIMIT sqlc.arg(max_rows)::bigint));

-- name: CleanStates :execrows
DELETE FROM stats_states AS d WHERE d.ctid = ANY(ARRAY(SELECT s.ctid FROM stats_states AS s WHERE s.generation = sqlc.arg(generation) LIMIT sqlc.arg(max_rows)::bigint));

-- name: CleanProjects :execrows
DELETE FROM stats_projects AS d WHERE d.ctid = ANY(ARRAY(SELECT s.ctid FROM stats_projects AS s WHERE s.generation = sqlc.arg(generation) LIMIT sqlc.arg(max_rows)::bigint));

-- name: CleanParked :execrows
DELETE FROM stats_parked AS d WHERE d.ctid = ANY(ARRAY(SELECT s.ctid FROM stats_parked AS s WHERE s.generation = sqlc.arg(generation) LIMIT sqlc.arg(max_rows)::bigint));

-- name: CleanParkedEvents :execrows
DELETE FROM stats_parked_events AS d WHERE d.ctid = ANY(ARRAY(SELECT s.ctid FROM stats_parked_events AS s WHERE s.generation = sqlc.arg(generation) LIMIT sqlc.arg(max_rows)::bigint));
