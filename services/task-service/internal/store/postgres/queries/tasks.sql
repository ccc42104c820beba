-- Tasks themselves are read with query.TaskColumns, so that lists and single reads share one scan.

-- name: TaskIDs :many
SELECT number, id FROM tasks WHERE project_id = @project_id AND number = ANY(@numbers::bigint[]);

-- name: FirstRank :one
SELECT task_rank FROM tasks WHERE project_id = $1 ORDER BY task_rank LIMIT 1;

-- name: LastRank :one
SELECT task_rank FROM tasks WHERE project_id = $1 ORDER BY task_rank DESC LIMIT 1;

-- name: NextRank :one
SELECT task_rank FROM tasks WHERE project_id = $1 AND task_rank > $2 ORDER BY task_rank LIMIT 1;

-- name: PreviousRank :one
SELECT task_rank FROM tasks WHERE project_id = $1 AND task_rank < $2 ORDER BY task_rank DESC LIMIT 1;

-- name: RankOf :one
SELECT task_rank FROM tasks WHERE id = $1 AND project_id = $2;

-- name: RanksIn :many
SELECT task_rank FROM tasks WHERE project_id = @project_id AND task_rank = ANY(@task_ranks::text[]);

-- name: SourcesIn :many
SELECT source FROM tasks WHERE project_id = @project_id AND source = ANY(@sources::text[]);

-- name: ParentOf :one
SELECT parent_id FROM tasks WHERE id = $1;

-- name: ChildrenOf :many
SELECT id FROM tasks WHERE parent_id = ANY(@parents::uuid[]);

-- name: CountChildren :one
SELECT COUNT(*) FROM tasks WHERE parent_id = $1 AND trashed IS NULL;

-- name: LiveTaskIn :many
SELECT id FROM tasks WHERE project_id = @project_id AND trashed IS NULL AND state_id = ANY(@state_ids::uuid[]) LIMIT 1;

-- name: TrashedTaskIn :many
SELECT id FROM tasks WHERE project_id = @project_id AND trashed IS NOT NULL AND state_id = ANY(@state_ids::uuid[]) LIMIT 1;

-- name: ProgressOf :many
SELECT t.parent_id, COUNT(*) AS total, COUNT(*) FILTER (WHERE s.category = 'done') AS done
FROM tasks t JOIN states s ON s.id = t.state_id
WHERE t.parent_id = ANY(@parents::uuid[]) AND t.trashed IS NULL GROUP BY t.parent_id;

-- name: RelatedFrom :many
SELECT to_id FROM relations WHERE kind = @kind AND from_id = ANY(@from_ids::uuid[]);

-- name: RelationsFrom :many
SELECT * FROM relations WHERE from_id = $1 ORDER BY created, to_id;

-- name: RelationsTo :many
SELECT * FROM relations WHERE to_id = $1 ORDER BY created, from_id;

-- name: DropRelation :many
DELETE FROM relations WHERE from_id = $1 AND kind = $2 AND to_id = $3 RETURNING to_id;

-- name: CommentsOf :many
SELECT * FROM comments WHERE task_id = $1 ORDER BY created, id;

-- name: Comment :one
SELECT * FROM comments WHERE task_id = $1 AND id = $2;

-- name: DropComment :many
DELETE FROM comments WHERE task_id = $1 AND id = $2 RETURNING id;

-- name: DropAssignees :exec
DELETE FROM task_assignees WHERE task_id = @task_id AND person_id = ANY(@person_ids::uuid[]);

-- name: DropLabels :exec
DELETE FROM task_labels WHERE task_id = @task_id AND label_id = ANY(@label_ids::uuid[]);

-- name: Replays :many
SELECT * FROM idempotency WHERE actor = @actor AND ikey = ANY(@ikeys::text[]);
