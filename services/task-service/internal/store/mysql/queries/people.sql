-- name: People :many
SELECT * FROM people ORDER BY handle;

-- name: Person :one
SELECT * FROM people WHERE id = ?;

-- name: PeopleByHandle :many
SELECT * FROM people WHERE handle IN (sqlc.slice('handles'));
