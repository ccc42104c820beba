-- Tasks themselves are read with query.TaskColumns, so that lists and single reads share one scan.

-- name: TaskIDs :many
SELECT number, id FROM tasks WHERE project_id = ? AND number IN (sqlc.slice('numbers'));

-- name: FirstRank :one
SELECT task_rank FROM tasks WHERE project_id = ? ORDER BY task_rank LIMIT 1;

-- name: LastRank :one
SELECT task_rank FROM tasks WHERE project_id = ? ORDER BY task_rank DESC LIMIT 1;

-- name: NextRank :one
SELECT task_rank FROM tasks WHERE project_id = ? AND task_rank > ? ORDER BY task_rank LIMIT 1;

-- name: PreviousRank :one
SELECT task_rank FROM tasks WHERE project_id = ? AND task_rank < ? ORDER BY task_rank DESC LIMIT 1;

-- name: RankOf :one
SELECT task_rank FROM tasks WHERE id = ? AND project_id = ?;

-- name: RanksIn :many
SELECT task_rank FROM tasks WHERE project_id = ? AND task_rank IN (sqlc.slice('ranks'));

-- name: SourcesIn :many
SELECT source FROM tasks WHERE project_id = ? AND source IN (sqlc.slice('sources'));

-- name: ParentOf :one
SELECT parent_id FROM tasks WHERE id = ?;

-- name: ChildrenOf :many
SELECT id FROM tasks WHERE parent_id IN (sqlc.slice('parents'));

-- name: CountChildren :one
SELECT COUNT(*) FROM tasks WHERE parent_id = ? AND trashed IS NULL;

-- name: LiveTaskIn :many
SELECT id FROM tasks WHERE project_id = ? AND trashed IS NULL AND state_id IN (sqlc.slice('states')) LIMIT 1;

-- name: TrashedTaskIn :many
SELECT id FROM tasks WHERE project_id = ? AND trashed IS NOT NULL AND state_id IN (sqlc.slice('states')) LIMIT 1;

-- name: ProgressOf :many
SELECT t.parent_id, COUNT(*) AS total, CAST(COALESCE(SUM(s.category = 'done'), 0) AS SIGNED) AS done
FROM tasks t JOIN states s ON s.id = t.state_id
WHERE t.parent_id IN (sqlc.slice('parents')) AND t.trashed IS NULL GROUP BY t.parent_id;

-- name: RelatedFrom :many
SELECT to_id FROM relations WHERE kind = ? AND from_id IN (sqlc.slice('ids'));

-- name: RelationsFrom :many
SELECT * FROM relations WHERE from_id = ? ORDER BY created, to_id;

-- name: RelationsTo :many
SELECT * FROM relations WHERE to_id = ? ORDER BY created, from_id;

-- name: DropRelation :execrows
DELETE FROM relations WHERE from_id = ? AND kind = ? AND to_id = ?;

-- name: CommentsOf :many
SELECT * FROM comments WHERE task_id = ? ORDER BY created, id;

-- name: Comment :one
SELECT * FROM comments WHERE task_id = ? AND id = ?;

-- name: DropComment :execrows
DELETE FROM comments WHERE task_id = ? AND id = ?;

-- name: DropAssignees :exec
DELETE FROM task_assignees WHERE task_id = ? AND person_id IN (sqlc.slice('people'));

-- name: DropLabels :exec
DELETE FROM task_labels WHERE task_id = ? AND label_id IN (sqlc.slice('labels'));

-- name: Replays :many
SELECT * FROM idempotency WHERE actor = ? AND ikey IN (sqlc.slice('ikeys'));
