-- +goose Up
-- Up to which position each generation of the projections has come. One generation is active and answers; a rebuild fills
-- another one (building) and swaps roles. epoch fences off an applier that lost its lease.
CREATE TABLE stats_cursor (
  shard      smallint NOT NULL,
  generation bigint NOT NULL,
  role       varchar(10) NOT NULL, -- active, building or retired
  pos        bigint NOT NULL,
  epoch      bigint NOT NULL,
  applied_at timestamptz NOT NULL,
  PRIMARY KEY (shard, generation)
);
INSERT INTO stats_cursor (shard, generation, role, pos, epoch, applied_at) VALUES (0, 1, 'active', 0, 0, now());

CREATE TABLE stats_projects (
  generation bigint NOT NULL,
  project_id uuid NOT NULL,
  seq        bigint NOT NULL, -- of the last project event applied
  applied    bigint NOT NULL, -- position of the last event applied of the project or its tasks
  revision   bigint NOT NULL, -- grows with each write that concerns the project
  PRIMARY KEY (generation, project_id)
);

CREATE TABLE stats_states (
  generation bigint NOT NULL,
  state_id   uuid NOT NULL,
  project_id uuid NOT NULL,
  name       varchar(120) NOT NULL,
  category   varchar(10) NOT NULL,
  position   int NOT NULL,
  wip_limit  int NULL,
  archived   boolean NOT NULL,
  PRIMARY KEY (generation, state_id)
);
CREATE INDEX stats_states_project ON stats_states (generation, project_id);

CREATE TABLE stats_tasks (
  generation bigint NOT NULL,
  task_id    uuid NOT NULL,
  project_id uuid NOT NULL,
  number     bigint NOT NULL,
  state_id   uuid NOT NULL,
  priority   smallint NOT NULL,
  assignees  uuid[] NOT NULL,
  labels     uuid[] NOT NULL,
  due_date   date NULL,
  estimate   double precision NULL,
  created    timestamptz NOT NULL,
  entered    timestamptz NOT NULL, -- entry into the present state
  started    timestamptz NULL,     -- first entry into a doing state
  completed  timestamptz NULL,     -- entry into the present state, if that is of category done
  trashed    timestamptz NULL,
  seq        bigint NOT NULL, -- of the last event applied
  PRIMARY KEY (generation, task_id)
);
CREATE INDEX stats_tasks_project ON stats_tasks (generation, project_id, task_id);

-- NULL is the outside: from there when created or restored, to there when trashed.
CREATE TABLE stats_transitions (
  generation bigint NOT NULL,
  task_id    uuid NOT NULL,
  seq        bigint NOT NULL,
  project_id uuid NOT NULL,
  at         timestamptz NOT NULL,
  from_state uuid NULL,
  to_state   uuid NULL,
  PRIMARY KEY (generation, task_id, seq)
);
CREATE INDEX stats_transitions_project ON stats_transitions (generation, project_id, task_id, seq);

-- Tasks and projects one of whose events could not be applied; it and later ones wait in stats_parked_events.
CREATE TABLE stats_parked (
  generation   bigint NOT NULL,
  aggregate_id uuid NOT NULL,
  aggregate    varchar(10) NOT NULL,
  project_id   uuid NOT NULL,
  pos          bigint NOT NULL,
  seq          bigint NOT NULL,
  reason       varchar(500) NOT NULL,
  since        timestamptz NOT NULL,
  attempts     int NOT NULL,
  events       int NOT NULL,
  PRIMARY KEY (generation, aggregate_id)
);
CREATE INDEX stats_parked_pos ON stats_parked (generation, pos);

CREATE TABLE stats_parked_events (
  generation   bigint NOT NULL,
  aggregate_id uuid NOT NULL,
  pos          bigint NOT NULL, -- the event itself is in events
  PRIMARY KEY (generation, aggregate_id, pos)
);

CREATE TABLE stats_leases (
  name       varchar(64) NOT NULL PRIMARY KEY,
  holder     varchar(128) NOT NULL,
  epoch      bigint NOT NULL,
  expires_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE stats_leases, stats_parked_events, stats_parked, stats_transitions, stats_tasks, stats_states, stats_projects, stats_cursor;
