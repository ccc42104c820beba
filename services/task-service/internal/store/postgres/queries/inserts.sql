-- Inserts of any number of rows: one statement text, prepared once, with an array for each column. Values that may be
-- missing travel as text, empty for NULL.

-- name: InsertTasks :exec
INSERT INTO tasks (id, project_id, number, title, title_key, description, words, state_id, task_rank, priority, assignees,
  labels, start_date, due_date, estimate, parent_id, recurrence, version, seq, created, created_by, updated, updated_by,
  started, completed, trashed, last_at, source)
SELECT unnest(@ids::uuid[]), unnest(@project_ids::uuid[]), unnest(@numbers::bigint[]), unnest(@titles::text[]),
  unnest(@title_keys::text[]), unnest(@descriptions::text[]), unnest(@words::text[])::tsvector, unnest(@state_ids::uuid[]),
  unnest(@ranks::text[]), unnest(@priorities::smallint[]), unnest(@assignees::text[])::uuid[], unnest(@labels::text[])::uuid[],
  NULLIF(unnest(@starts::text[]), '')::date, NULLIF(unnest(@dues::text[]), '')::date,
  NULLIF(unnest(@estimates::text[]), '')::double precision, NULLIF(unnest(@parents::text[]), '')::uuid,
  unnest(@recurrences::text[]), unnest(@versions::bigint[]), unnest(@seqs::bigint[]), unnest(@created::timestamptz[]),
  unnest(@created_by::uuid[]), unnest(@updated::timestamptz[]), unnest(@updated_by::uuid[]),
  NULLIF(unnest(@started::text[]), '')::timestamptz, NULLIF(unnest(@completed::text[]), '')::timestamptz,
  NULLIF(unnest(@trashed::text[]), '')::timestamptz, unnest(@last_at::timestamptz[]), NULLIF(unnest(@sources::text[]), '');

-- name: InsertAssignees :exec
INSERT INTO task_assignees (task_id, person_id) SELECT unnest(@tasks::uuid[]), unnest(@people::uuid[]);

-- name: InsertLabels :exec
INSERT INTO task_labels (task_id, label_id) SELECT unnest(@tasks::uuid[]), unnest(@labels::uuid[]);

-- name: InsertEvents :exec
INSERT INTO events (project_id, aggregate, aggregate_id, seq, kind, actor, changes, occurred, recorded, traceparent)
SELECT unnest(@project_ids::uuid[]), unnest(@aggregates::text[]), unnest(@aggregate_ids::uuid[]), unnest(@seqs::bigint[]),
  unnest(@kinds::text[]), unnest(@actors::uuid[]), unnest(@changes::text[])::jsonb, unnest(@occurred::timestamptz[]),
  unnest(@recorded::timestamptz[]), unnest(@traceparents::text[]);

-- name: InsertReplays :exec
INSERT INTO idempotency (actor, ikey, request, result, created)
SELECT unnest(@actors::uuid[]), unnest(@ikeys::text[]), unnest(@requests::bytea[]), unnest(@results::bytea[]), unnest(@created::timestamptz[]);

-- name: PutRelations :exec
INSERT INTO relations (from_id, kind, to_id, created)
SELECT unnest(@from_ids::uuid[]), unnest(@kinds::text[]), unnest(@to_ids::uuid[]), unnest(@created::timestamptz[])
ON CONFLICT DO NOTHING;

-- name: PutComments :exec
INSERT INTO comments (id, task_id, author, body, mentions, created, edited)
SELECT unnest(@ids::uuid[]), unnest(@tasks::uuid[]), unnest(@authors::uuid[]), unnest(@bodies::text[]),
  unnest(@mentions::text[])::uuid[], unnest(@created::timestamptz[]), NULLIF(unnest(@edited::text[]), '')::timestamptz
ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body, mentions = EXCLUDED.mentions, edited = EXCLUDED.edited;
