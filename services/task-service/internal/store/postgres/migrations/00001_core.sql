-- +goose Up
CREATE TABLE projects (
  id          uuid         NOT NULL PRIMARY KEY,
  pkey        varchar(10)  COLLATE "C" NOT NULL,
  name        varchar(120) NOT NULL,
  description text         NOT NULL,
  version     bigint       NOT NULL,
  seq         bigint       NOT NULL,
  created     timestamptz  NOT NULL,
  created_by  uuid         NOT NULL,
  updated     timestamptz  NOT NULL,
  archived    timestamptz  NULL,
  CONSTRAINT projects_key UNIQUE (pkey)
);

-- Apart from projects, so that creating tasks (locks this row) and changing them (share the project row) do not wait
-- for each other. Its lock is also what serialises changes of parents and relations. version repeats projects.version,
-- so that creating tasks reads this one row and finds the settings in its cache.
CREATE TABLE project_counters (
  project_id  uuid   NOT NULL PRIMARY KEY REFERENCES projects (id),
  last_number bigint NOT NULL,
  version     bigint NOT NULL
) WITH (fillfactor = 50); -- one row a project, updated with every create: room to stay on its page

CREATE TABLE states (
  id         uuid        NOT NULL PRIMARY KEY,
  project_id uuid        NOT NULL REFERENCES projects (id),
  name       varchar(40) NOT NULL,
  category   varchar(10) NOT NULL,
  position   int         NOT NULL,
  wip_limit  int         NULL,
  archived   boolean     NOT NULL DEFAULT false
);
CREATE INDEX states_project ON states (project_id, position);

CREATE TABLE labels (
  id         uuid        NOT NULL PRIMARY KEY,
  project_id uuid        NOT NULL REFERENCES projects (id),
  name       varchar(60) NOT NULL,
  color      varchar(7)  NOT NULL,
  position   int         NOT NULL
);
CREATE INDEX labels_project ON labels (project_id, position);

-- assignees and labels repeat task_assignees and task_labels, so that a list is one select; both are written in the
-- same transaction. Ranks, title_key and words compare by byte, so that every engine gives the same answers. title_key
-- and words are made by package query: the folded title, by which lists sort, and the folded words of title and
-- description, each behind a tag of its project, so that a search reads only its project's part of the index.
-- There is no foreign key to projects: its check would lock the project's row in the hot path and against the order
-- task, project, counters in which every transaction locks. Projects are never deleted.
CREATE TABLE tasks (
  id          uuid             NOT NULL PRIMARY KEY,
  project_id  uuid             NOT NULL,
  number      bigint           NOT NULL,
  title       varchar(500)     NOT NULL,
  title_key   varchar(64)      COLLATE "C" NOT NULL,
  description text             NOT NULL,
  words       tsvector         NOT NULL,
  state_id    uuid             NOT NULL,
  task_rank   varchar(255)     COLLATE "C" NOT NULL,
  priority    smallint         NOT NULL,
  assignees   uuid[]           NOT NULL,
  labels      uuid[]           NOT NULL,
  start_date  date             NULL,
  due_date    date             NULL,
  estimate    double precision NULL,
  parent_id   uuid             NULL,
  recurrence  varchar(500)     NOT NULL,
  version     bigint           NOT NULL,
  seq         bigint           NOT NULL,
  created     timestamptz      NOT NULL,
  created_by  uuid             NOT NULL,
  updated     timestamptz      NOT NULL,
  updated_by  uuid             NOT NULL,
  started     timestamptz      NULL,
  completed   timestamptz      NULL,
  trashed     timestamptz      NULL,
  last_at     timestamptz      NOT NULL,
  source      varchar(190)     COLLATE "C" NULL,
  CONSTRAINT tasks_number UNIQUE (project_id, number),
  CONSTRAINT tasks_rank UNIQUE (project_id, task_rank),
  CONSTRAINT tasks_priority_range CHECK (priority BETWEEN 0 AND 4)
);
CREATE UNIQUE INDEX tasks_source ON tasks (project_id, source) WHERE source IS NOT NULL;
-- An index for every order a list may have. Those of values most tasks lack hold only the rows that have one, so that a
-- new task does not pay for them; tasks_live serves the rows without, which come last. tasks_live_rank serves the default
-- order better than the unique index: it wins even while the planner's statistics lag behind a burst of new tasks.
CREATE INDEX tasks_live ON tasks (project_id, id) WHERE trashed IS NULL;
CREATE INDEX tasks_live_rank ON tasks (project_id, task_rank) WHERE trashed IS NULL;
CREATE INDEX tasks_state ON tasks (project_id, state_id, task_rank) WHERE trashed IS NULL;
CREATE INDEX tasks_created ON tasks (project_id, created, id) WHERE trashed IS NULL;
CREATE INDEX tasks_updated ON tasks (project_id, updated, id) WHERE trashed IS NULL;
CREATE INDEX tasks_priority ON tasks (project_id, priority, id) WHERE trashed IS NULL;
CREATE INDEX tasks_title ON tasks (project_id, title_key, id) WHERE trashed IS NULL;
CREATE INDEX tasks_completed ON tasks (project_id, completed, id) WHERE trashed IS NULL AND completed IS NOT NULL;
CREATE INDEX tasks_start ON tasks (project_id, start_date, id) WHERE trashed IS NULL AND start_date IS NOT NULL;
CREATE INDEX tasks_due ON tasks (project_id, due_date, id) WHERE trashed IS NULL AND due_date IS NOT NULL;
CREATE INDEX tasks_trash ON tasks (project_id, trashed, id) WHERE trashed IS NOT NULL;
CREATE INDEX tasks_parent ON tasks (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tasks_words ON tasks USING gin (words);

CREATE TABLE task_assignees (
  person_id uuid NOT NULL,
  task_id   uuid NOT NULL,
  PRIMARY KEY (task_id, person_id)
);
CREATE INDEX task_assignees_person ON task_assignees (person_id, task_id);

CREATE TABLE task_labels (
  label_id uuid NOT NULL,
  task_id  uuid NOT NULL,
  PRIMARY KEY (task_id, label_id)
);
CREATE INDEX task_labels_label ON task_labels (label_id, task_id);

CREATE TABLE relations (
  from_id uuid        NOT NULL,
  to_id   uuid        NOT NULL,
  kind    varchar(10) NOT NULL,
  created timestamptz NOT NULL,
  PRIMARY KEY (from_id, kind, to_id)
);
CREATE INDEX relations_to ON relations (to_id, kind, from_id);

CREATE TABLE comments (
  id       uuid        NOT NULL PRIMARY KEY,
  task_id  uuid        NOT NULL,
  author   uuid        NOT NULL,
  body     text        NOT NULL,
  mentions uuid[]      NOT NULL,
  created  timestamptz NOT NULL,
  edited   timestamptz NULL
);
CREATE INDEX comments_task ON comments (task_id, created, id);

CREATE TABLE views (
  id         uuid          NOT NULL PRIMARY KEY,
  project_id uuid          NOT NULL REFERENCES projects (id),
  name       varchar(80)   NOT NULL,
  filter     varchar(2000) NOT NULL,
  layout     varchar(10)   NOT NULL,
  group_by   varchar(10)   NOT NULL,
  sort       varchar(20)   NOT NULL,
  owner      uuid          NOT NULL,
  shared     boolean       NOT NULL,
  version    bigint        NOT NULL,
  created    timestamptz   NOT NULL,
  updated    timestamptz   NOT NULL
);
CREATE INDEX views_project ON views (project_id, name);

-- History, outbox, resume log: append only, but for pos, which the relay gives once. seq is unique per aggregate: a lost
-- update shows as a duplicate.
CREATE TABLE events (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shard        smallint    NOT NULL DEFAULT 0,
  pos          bigint      NULL,
  project_id   uuid        NOT NULL,
  aggregate    varchar(10) NOT NULL,
  aggregate_id uuid        NOT NULL,
  seq          bigint      NOT NULL,
  kind         varchar(30) NOT NULL,
  actor        uuid        NOT NULL,
  changes      jsonb       NOT NULL, -- array of {"field","before","after"}
  occurred     timestamptz NOT NULL,
  recorded     timestamptz NOT NULL,
  traceparent  varchar(55) NOT NULL,
  CONSTRAINT events_seq UNIQUE (aggregate_id, seq)
);
CREATE INDEX events_waiting ON events (shard, id) WHERE pos IS NULL;
CREATE UNIQUE INDEX events_pos ON events (shard, pos) WHERE pos IS NOT NULL;
CREATE INDEX events_project_pos ON events (project_id, pos) WHERE pos IS NOT NULL;
CREATE INDEX events_project_occurred ON events (project_id, occurred);
-- Every row is updated once, soon after it came: clean up behind the relay before the dead entries slow it down.
ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

-- One row a shard: the last position given, and up to which JetStream has acknowledged.
CREATE TABLE relay_positions (
  shard     smallint NOT NULL PRIMARY KEY,
  epoch     bigint   NOT NULL, -- of the relay that wrote last; an older one is fenced off
  given     bigint   NOT NULL,
  published bigint   NOT NULL
) WITH (fillfactor = 50);
INSERT INTO relay_positions (shard, epoch, given, published) VALUES (0, 0, 0, 0);

CREATE TABLE task_leases (
  name       varchar(64)  NOT NULL PRIMARY KEY,
  holder     varchar(128) NOT NULL,
  epoch      bigint       NOT NULL,
  expires_at timestamptz  NOT NULL
);

CREATE TABLE idempotency (
  actor   uuid         NOT NULL,
  ikey    varchar(255) COLLATE "C" NOT NULL,
  request bytea        NOT NULL,
  result  bytea        NOT NULL, -- JSON of the answer of then
  created timestamptz  NOT NULL,
  PRIMARY KEY (actor, ikey)
);
CREATE INDEX idempotency_created ON idempotency (created);

-- +goose Down
DROP TABLE idempotency, task_leases, relay_positions, events, views, comments, relations, task_labels, task_assignees, tasks, labels, states, project_counters, projects;
