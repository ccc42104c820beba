-- +goose Up
CREATE TABLE people (
  id      uuid         NOT NULL PRIMARY KEY,
  handle  varchar(39)  COLLATE "C" NOT NULL,
  name    varchar(120) NOT NULL,
  kind    varchar(10)  NOT NULL,
  created timestamptz  NOT NULL,
  CONSTRAINT people_handle UNIQUE (handle)
);

-- Members are written by task-service inside the transaction that changes the project; both services read them.
CREATE TABLE members (
  project_id uuid        NOT NULL,
  person_id  uuid        NOT NULL REFERENCES people (id),
  role       varchar(10) NOT NULL,
  PRIMARY KEY (project_id, person_id)
);
CREATE INDEX members_person ON members (person_id);

INSERT INTO people (id, handle, name, kind, created) VALUES
  ('00000000-0000-7000-8000-000000000001', 'owner', 'Owner', 'member', now()),
  ('00000000-0000-7000-8000-000000000002', 'tallyboard', 'Tallyboard', 'system', now());

-- +goose Down
DROP TABLE members;
DROP TABLE people;
