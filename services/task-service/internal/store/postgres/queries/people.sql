-- name: People :many
SELECT * FROM people ORDER BY handle;

-- name: Person :one
SELECT * FROM people WHERE id = $1;

-- name: PeopleByHandle :many
SELECT * FROM people WHERE handle = ANY(@handles::text[]);

-- name: AddPeople :exec
INSERT INTO people (id, handle, name, kind, created)
SELECT unnest(@ids::uuid[]), unnest(@handles::text[]), unnest(@names::text[]), unnest(@kinds::text[]), unnest(@created::timestamptz[])
ON CONFLICT (handle) DO NOTHING;
