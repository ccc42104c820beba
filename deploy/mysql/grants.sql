-- What each service may do, table by table. Run after the migrations: MySQL grants on tables that are there.

-- task-service. History is append only: of an event only its position may be set, once, by the relay.
GRANT SELECT                                   ON `<database>`.`goose_access`     TO 'tallyboard_task'@'%';
GRANT SELECT                                   ON `<database>`.`goose_task`       TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE                   ON `<database>`.`people`           TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`members`          TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE                   ON `<database>`.`projects`         TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE                   ON `<database>`.`project_counters` TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`states`           TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`labels`           TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE                   ON `<database>`.`tasks`            TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, DELETE                   ON `<database>`.`task_assignees`   TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, DELETE                   ON `<database>`.`task_labels`      TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`relations`        TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`comments`         TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`views`            TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE (pos)             ON `<database>`.`events`           TO 'tallyboard_task'@'%';
GRANT SELECT, UPDATE                           ON `<database>`.`relay_positions`  TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE                   ON `<database>`.`task_leases`      TO 'tallyboard_task'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`idempotency`      TO 'tallyboard_task'@'%';

-- stats-service. It reads what it counts, and writes its own projections only.
GRANT SELECT                                   ON `<database>`.`goose_access`        TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`goose_task`          TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`goose_stats`         TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`people`              TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`members`             TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`projects`            TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`states`              TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`labels`              TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`tasks`               TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`events`              TO 'tallyboard_stats'@'%';
GRANT SELECT                                   ON `<database>`.`relay_positions`     TO 'tallyboard_stats'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`stats_cursor`        TO 'tallyboard_stats'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`stats_projects`      TO 'tallyboard_stats'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`stats_states`        TO 'tallyboard_stats'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`stats_tasks`         TO 'tallyboard_stats'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`stats_transitions`   TO 'tallyboard_stats'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`stats_parked`        TO 'tallyboard_stats'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE           ON `<database>`.`stats_parked_events` TO 'tallyboard_stats'@'%';
GRANT SELECT, INSERT, UPDATE                   ON `<database>`.`stats_leases`        TO 'tallyboard_stats'@'%';
