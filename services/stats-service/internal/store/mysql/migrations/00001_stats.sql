-- +goose Up
-- Up to which position each generation of the projections has come. One generation is active and answers; a rebuild fills
-- another one (building) and swaps roles. epoch fences off an applier that lost its lease.
CREATE TABLE stats_cursor (
  shard      SMALLINT    NOT NULL,
  generation BIGINT      NOT NULL,
  role       VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- active, building or retired
  pos        BIGINT      NOT NULL,
  epoch      BIGINT      NOT NULL,
  applied_at DATETIME(6) NOT NULL,
  PRIMARY KEY (shard, generation)
) ENGINE=InnoDB;
INSERT INTO stats_cursor (shard, generation, role, pos, epoch, applied_at) VALUES (0, 1, 'active', 0, 0, UTC_TIMESTAMP(6));

CREATE TABLE stats_projects (
  generation BIGINT     NOT NULL,
  project_id BINARY(16) NOT NULL,
  seq        BIGINT     NOT NULL, -- of the last project event applied
  applied    BIGINT     NOT NULL, -- position of the last event applied of the project or its tasks
  revision   BIGINT     NOT NULL, -- grows with each write that concerns the project
  PRIMARY KEY (generation, project_id)
) ENGINE=InnoDB;

CREATE TABLE stats_states (
  generation BIGINT       NOT NULL,
  state_id   BINARY(16)   NOT NULL,
  project_id BINARY(16)   NOT NULL,
  name       VARCHAR(120) NOT NULL,
  category   VARCHAR(10)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position   INT          NOT NULL,
  wip_limit  INT          NULL,
  archived   BOOLEAN      NOT NULL,
  PRIMARY KEY (generation, state_id),
  KEY stats_states_project (generation, project_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE stats_tasks (
  generation BIGINT          NOT NULL,
  task_id    BINARY(16)      NOT NULL,
  project_id BINARY(16)      NOT NULL,
  number     BIGINT          NOT NULL,
  state_id   BINARY(16)      NOT NULL,
  priority   TINYINT         NOT NULL,
  assignees  VARBINARY(4096) NOT NULL, -- 16 bytes each
  labels     VARBINARY(4096) NOT NULL, -- 16 bytes each
  due_date   DATE            NULL,
  estimate   DOUBLE          NULL,
  created    DATETIME(6)     NOT NULL,
  entered    DATETIME(6)     NOT NULL, -- entry into the present state
  started    DATETIME(6)     NULL,     -- first entry into a doing state
  completed  DATETIME(6)     NULL,     -- entry into the present state, if that is of category done
  trashed    DATETIME(6)     NULL,
  seq        BIGINT          NOT NULL, -- of the last event applied
  PRIMARY KEY (generation, task_id),
  KEY stats_tasks_project (generation, project_id, task_id)
) ENGINE=InnoDB;

-- NULL is the outside: from there when created or restored, to there when trashed.
CREATE TABLE stats_transitions (
  generation BIGINT      NOT NULL,
  task_id    BINARY(16)  NOT NULL,
  seq        BIGINT      NOT NULL,
  project_id BINARY(16)  NOT NULL,
  at         DATETIME(6) NOT NULL,
  from_state BINARY(16)  NULL,
  to_state   BINARY(16)  NULL,
  PRIMARY KEY (generation, task_id, seq),
  KEY stats_transitions_project (generation, project_id, task_id, seq)
) ENGINE=InnoDB;

-- Tasks and projects one of whose events could not be applied; it and later ones wait in stats_parked_events.
CREATE TABLE stats_parked (
  generation   BIGINT       NOT NULL,
  aggregate_id BINARY(16)   NOT NULL,
  aggregate    VARCHAR(10)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  project_id   BINARY(16)   NOT NULL,
  pos          BIGINT       NOT NULL,
  seq          BIGINT       NOT NULL,
  reason       VARCHAR(500) NOT NULL,
  since        DATETIME(6)  NOT NULL,
  attempts     INT          NOT NULL,
  events       INT          NOT NULL,
  PRIMARY KEY (generation, aggregate_id),
  KEY stats_parked_pos (generation, pos)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE stats_parked_events (
  generation   BIGINT     NOT NULL,
  aggregate_id BINARY(16) NOT NULL,
  pos          BIGINT     NOT NULL, -- the event itself is in events
  PRIMARY KEY (generation, aggregate_id, pos)
) ENGINE=InnoDB;

CREATE TABLE stats_leases (
  name       VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  holder     VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  epoch      BIGINT       NOT NULL,
  expires_at DATETIME(6)  NOT NULL
) ENGINE=InnoDB;

-- +goose Down
DROP TABLE stats_leases, stats_parked_events, stats_parked, stats_transitions, stats_tasks, stats_states, stats_projects, stats_cursor;
