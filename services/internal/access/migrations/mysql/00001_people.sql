-- +goose Up
CREATE TABLE people (
  id      BINARY(16)   NOT NULL PRIMARY KEY,
  handle  VARCHAR(39)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name    VARCHAR(120) NOT NULL,
  kind    VARCHAR(10)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created DATETIME(6)  NOT NULL,
  UNIQUE KEY people_handle (handle)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Members are written by task-service inside the transaction that changes the project; both services read them.
CREATE TABLE members (
  project_id BINARY(16)  NOT NULL,
  person_id  BINARY(16)  NOT NULL,
  role       VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (project_id, person_id),
  KEY members_person (person_id),
  CONSTRAINT members_person FOREIGN KEY (person_id) REFERENCES people (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO people (id, handle, name, kind, created) VALUES
  (UNHEX('00000000000070008000000000000001'), 'owner', 'Owner', 'member', UTC_TIMESTAMP(6)),
  (UNHEX('00000000000070008000000000000002'), 'tallyboard', 'Tallyboard', 'system', UTC_TIMESTAMP(6));

-- +goose Down
DROP TABLE members;
DROP TABLE people;
