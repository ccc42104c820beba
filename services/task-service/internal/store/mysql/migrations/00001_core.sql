-- +goose Up
CREATE TABLE projects (
  id          BINARY(16)    NOT NULL PRIMARY KEY,
  pkey        VARCHAR(10)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name        VARCHAR(120)  NOT NULL,
  description TEXT          NOT NULL,
  version     BIGINT        NOT NULL,
  seq         BIGINT        NOT NULL,
  created     DATETIME(6)   NOT NULL,
  created_by  BINARY(16)    NOT NULL,
  updated     DATETIME(6)   NOT NULL,
  archived    DATETIME(6)   NULL,
  UNIQUE KEY projects_key (pkey)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Apart from projects, so that creating tasks (locks this row) and changing them (share the project row) do not wait
-- for each other. Its lock is also what serialises changes of parents and relations. version repeats projects.version,
-- so that creating tasks reads this one row and finds the settings in its cache.
CREATE TABLE project_counters (
  project_id  BINARY(16) NOT NULL PRIMARY KEY,
  last_number BIGINT     NOT NULL,
  version     BIGINT     NOT NULL,
  CONSTRAINT counters_project FOREIGN KEY (project_id) REFERENCES projects (id)
) ENGINE=InnoDB;

CREATE TABLE states (
  id         BINARY(16)  NOT NULL PRIMARY KEY,
  project_id BINARY(16)  NOT NULL,
  name       VARCHAR(40) NOT NULL,
  category   VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position   INT         NOT NULL,
  wip_limit  INT         NULL,
  archived   BOOLEAN     NOT NULL DEFAULT FALSE,
  KEY states_project (project_id, position),
  CONSTRAINT states_of_project FOREIGN KEY (project_id) REFERENCES projects (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE labels (
  id         BINARY(16)  NOT NULL PRIMARY KEY,
  project_id BINARY(16)  NOT NULL,
  name       VARCHAR(60) NOT NULL,
  color      CHAR(7)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position   INT         NOT NULL,
  KEY labels_project (project_id, position),
  CONSTRAINT labels_of_project FOREIGN KEY (project_id) REFERENCES projects (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- assignees and labels repeat task_assignees and task_labels, so that a list is one select; both are written in the
-- same transaction. Ranks are ASCII and compare by byte. title_key and words are made by package query: the folded
-- title, by which lists sort, and the folded words of title and description, each behind a tag of its project, so that a
-- search reads only its project's part of the index and knows neither stop words nor a shortest word. Both compare by
-- byte, so that every engine gives the same answers.
-- There is no foreign key to projects: its check would lock the project's row in the hot path and against the order
-- task, project, counters in which every transaction locks. Projects are never deleted.
-- An index for every order a list may have; "trashed IS NULL" is a constant to the optimiser, and id makes pages exact.
CREATE TABLE tasks (
  id          BINARY(16)   NOT NULL PRIMARY KEY,
  project_id  BINARY(16)   NOT NULL,
  number      BIGINT       NOT NULL,
  title       VARCHAR(500) NOT NULL,
  title_key   VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  description MEDIUMTEXT   NOT NULL,
  words       MEDIUMTEXT   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  state_id    BINARY(16)   NOT NULL,
  task_rank   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  priority    TINYINT      NOT NULL,
  assignees   VARBINARY(320) NOT NULL, -- 16 bytes each
  labels      VARBINARY(800) NOT NULL, -- 16 bytes each
  start_date  DATE         NULL,
  due_date    DATE         NULL,
  estimate    DOUBLE       NULL,
  parent_id   BINARY(16)   NULL,
  recurrence  VARCHAR(500) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version     BIGINT       NOT NULL,
  seq         BIGINT       NOT NULL,
  created     DATETIME(6)  NOT NULL,
  created_by  BINARY(16)   NOT NULL,
  updated     DATETIME(6)  NOT NULL,
  updated_by  BINARY(16)   NOT NULL,
  started     DATETIME(6)  NULL,
  completed   DATETIME(6)  NULL,
  trashed     DATETIME(6)  NULL,
  last_at     DATETIME(6)  NOT NULL,
  source      VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  UNIQUE KEY tasks_number (project_id, number),
  UNIQUE KEY tasks_rank (project_id, task_rank),
  UNIQUE KEY tasks_source (project_id, source),
  KEY tasks_state (project_id, trashed, state_id, task_rank),
  KEY tasks_created (project_id, trashed, created, id),
  KEY tasks_updated (project_id, trashed, updated, id),
  KEY tasks_completed (project_id, trashed, completed, id),
  KEY tasks_start (project_id, trashed, start_date, id),
  KEY tasks_due (project_id, trashed, due_date, id),
  KEY tasks_priority (project_id, trashed, priority, id),
  KEY tasks_title (project_id, trashed, title_key, id),
  KEY tasks_parent (parent_id),
  FULLTEXT KEY tasks_words (words),
  CONSTRAINT tasks_priority_range CHECK (priority BETWEEN 0 AND 4)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE task_assignees (
  person_id BINARY(16) NOT NULL,
  task_id   BINARY(16) NOT NULL,
  PRIMARY KEY (task_id, person_id),
  KEY task_assignees_person (person_id, task_id)
) ENGINE=InnoDB;

CREATE TABLE task_labels (
  label_id BINARY(16) NOT NULL,
  task_id  BINARY(16) NOT NULL,
  PRIMARY KEY (task_id, label_id),
  KEY task_labels_label (label_id, task_id)
) ENGINE=InnoDB;

CREATE TABLE relations (
  from_id BINARY(16)  NOT NULL,
  to_id   BINARY(16)  NOT NULL,
  kind    VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created DATETIME(6) NOT NULL,
  PRIMARY KEY (from_id, kind, to_id),
  KEY relations_to (to_id, kind, from_id)
) ENGINE=InnoDB;

CREATE TABLE comments (
  id       BINARY(16)  NOT NULL PRIMARY KEY,
  task_id  BINARY(16)  NOT NULL,
  author   BINARY(16)  NOT NULL,
  body     MEDIUMTEXT  NOT NULL,
  mentions BLOB        NOT NULL, -- 16 bytes each
  created  DATETIME(6) NOT NULL,
  edited   DATETIME(6) NULL,
  KEY comments_task (task_id, created, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE views (
  id         BINARY(16)    NOT NULL PRIMARY KEY,
  project_id BINARY(16)    NOT NULL,
  name       VARCHAR(80)   NOT NULL,
  filter     VARCHAR(2000) NOT NULL,
  layout     VARCHAR(10)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  group_by   VARCHAR(10)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sort       VARCHAR(20)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  owner      BINARY(16)    NOT NULL,
  shared     BOOLEAN       NOT NULL,
  version    BIGINT        NOT NULL,
  created    DATETIME(6)   NOT NULL,
  updated    DATETIME(6)   NOT NULL,
  KEY views_project (project_id, name),
  CONSTRAINT views_of_project FOREIGN KEY (project_id) REFERENCES projects (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- History, outbox, resume log: append only, but for pos, which the relay gives once. The unique key on (shard, pos)
-- serves both "without position" and ranges. seq is unique per aggregate: a lost update shows as a duplicate.
CREATE TABLE events (
  id           BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  shard        SMALLINT     NOT NULL DEFAULT 0,
  pos          BIGINT       NULL,
  project_id   BINARY(16)   NOT NULL,
  aggregate    VARCHAR(10)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  aggregate_id BINARY(16)   NOT NULL,
  seq          BIGINT       NOT NULL,
  kind         VARCHAR(30)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  actor        BINARY(16)   NOT NULL,
  changes      JSON         NOT NULL, -- array of {"field","before","after"}
  occurred     DATETIME(6)  NOT NULL,
  recorded     DATETIME(6)  NOT NULL,
  traceparent  VARCHAR(55)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  UNIQUE KEY events_pos (shard, pos),
  UNIQUE KEY events_seq (aggregate_id, seq),
  KEY events_project_pos (project_id, pos),
  KEY events_project_occurred (project_id, occurred)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One row a shard: the last position given, and up to which JetStream has acknowledged.
CREATE TABLE relay_positions (
  shard     SMALLINT NOT NULL PRIMARY KEY,
  epoch     BIGINT   NOT NULL, -- of the relay that wrote last; an older one is fenced off
  given     BIGINT   NOT NULL,
  published BIGINT   NOT NULL
) ENGINE=InnoDB;
INSERT INTO relay_positions (shard, epoch, given, published) VALUES (0, 0, 0, 0);

CREATE TABLE task_leases (
  name       VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  holder     VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  epoch      BIGINT       NOT NULL,
  expires_at DATETIME(6)  NOT NULL
) ENGINE=InnoDB;

CREATE TABLE idempotency (
  actor    BINARY(16)   NOT NULL,
  ikey     VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  request  BINARY(32)   NOT NULL,
  result   LONGBLOB     NOT NULL, -- JSON of the answer of then
  created  DATETIME(6)  NOT NULL,
  PRIMARY KEY (actor, ikey),
  KEY idempotency_created (created)
) ENGINE=InnoDB;

-- +goose Down
DROP TABLE idempotency, task_leases, relay_positions, events, views, comments, relations, task_labels, task_assignees, tasks, labels, states, project_counters, projects;
