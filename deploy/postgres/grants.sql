-- What each service may do, table by table. Run after the migrations, in Tallyboard's database.
REVOKE ALL ON DATABASE "<database>" FROM PUBLIC;
GRANT CONNECT ON DATABASE "<database>" TO tallyboard_migrate, tallyboard_task, tallyboard_stats;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tallyboard_task, tallyboard_stats;

-- task-service. History is append only: of an event only its position may be set, once, by the relay.
GRANT SELECT ON goose_access, goose_task TO tallyboard_task;
GRANT SELECT, INSERT, UPDATE ON people, projects, project_counters, tasks, task_leases TO tallyboard_task;
GRANT SELECT, INSERT, UPDATE, DELETE ON members, states, labels, comments, views, idempotency TO tallyboard_task;
GRANT SELECT, INSERT, DELETE ON task_assignees, task_labels, relations TO tallyboard_task;
GRANT SELECT, INSERT, UPDATE (pos) ON events TO tallyboard_task;
GRANT SELECT, UPDATE ON relay_positions TO tallyboard_task;

-- stats-service. It reads what it counts, and writes its own projections only.
GRANT SELECT ON goose_access, goose_task, goose_stats, people, members, projects, states, labels, tasks, events,
  relay_positions TO tallyboard_stats;
GRANT SELECT, INSERT, UPDATE, DELETE ON stats_cursor, stats_projects, stats_states, stats_tasks, stats_transitions,
  stats_parked, stats_parked_events TO tallyboard_stats;
GRANT SELECT, INSERT, UPDATE ON stats_leases TO tallyboard_stats;
