-- name: UpsertTask :batchexec
INSERT INTO stats_tasks (generation, task_id, project_id, number, state_id, priority, assignees, labels, due_date, estimate,
  created, entered, started, completed, trashed, seq)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (generation, task_id) DO UPDATE SET state_id = EXCLUDED.state_id, priority = EXCLUDED.priority,
  assignees = EXCLUDED.assignees, labels = EXCLUDED.labels, due_date = EXCLUDED.due_date, estimate = EXCLUDED.estimate,
  entered = EXCLUDED.entered, started = EXCLUDED.started, completed = EXCLUDED.completed, trashed = EXCLUDED.trashed,
  number = EXCLUDED.number, seq = EXCLUDED.seq;

-- name: UpsertProject :batchexec
INSERT INTO stats_projects (generation, project_id, seq, applied, revision) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (generation, project_id) DO UPDATE SET seq = EXCLUDED.seq, applied = EXCLUDED.applied, revision = EXCLUDED.revision;

-- name: UpsertState :batchexec
INSERT INTO stats_states (generation, state_id, project_id, name, category, position, wip_limit, archived)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (generation, state_id) DO UPDATE SET name = EXCLUDED.name, position = EXCLUDED.position,
  wip_limit = EXCLUDED.wip_limit, archived = EXCLUDED.archived;

-- name: UpsertParked :batchexec
INSERT INTO stats_parked (generation, aggregate_id, aggregate, project_id, pos, seq, reason, since, attempts, events)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (generation, aggregate_id) DO UPDATE SET pos = EXCLUDED.pos, seq = EXCLUDED.seq, reason = EXCLUDED.reason,
  attempts = EXCLUDED.attempts, events = EXCLUDED.events;

-- name: InsertTransitions :copyfrom
INSERT INTO stats_transitions (generation, task_id, seq, project_id, at, from_state, to_state)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: InsertParkedEvents :copyfrom
INSERT INTO stats_parked_events (generation, aggregate_id, pos) VALUES ($1, $2, $3);
