-- name: ProjectByKey :one
SELECT * FROM projects WHERE pkey = $1;

-- name: ProjectByID :one
SELECT * FROM projects WHERE id = $1;

-- name: ProjectForUpdate :one
SELECT * FROM projects WHERE id = $1 FOR UPDATE;

-- Conflicts with ProjectForUpdate, and with nothing else.
-- name: ShareProject :one
SELECT version FROM projects WHERE id = $1 FOR KEY SHARE;

-- name: Projects :many
SELECT * FROM projects ORDER BY pkey;

-- name: StatesOf :many
SELECT * FROM states WHERE project_id = $1 ORDER BY position, id;

-- name: LabelsOf :many
SELECT * FROM labels WHERE project_id = $1 ORDER BY position, id;

-- name: MembersOf :many
SELECT * FROM members WHERE project_id = $1 ORDER BY person_id;

-- name: AllStates :many
SELECT * FROM states ORDER BY project_id, position, id;

-- name: AllLabels :many
SELECT * FROM labels ORDER BY project_id, position, id;

-- name: AllMembers :many
SELECT * FROM members ORDER BY project_id, person_id;

-- name: InsertProject :exec
INSERT INTO projects (id, pkey, name, description, version, seq, created, created_by, updated, archived)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: UpdateProject :exec
UPDATE projects SET name = $1, description = $2, version = $3, seq = $4, updated = $5, archived = $6 WHERE id = $7;

-- name: InsertCounters :exec
INSERT INTO project_counters (project_id, last_number, version) VALUES ($1, 0, $2);

-- name: LockCounters :one
SELECT last_number, version FROM project_counters WHERE project_id = $1 FOR UPDATE;

-- name: SetLastNumber :exec
UPDATE project_counters SET last_number = $1 WHERE project_id = $2;

-- name: SetCountersVersion :exec
UPDATE project_counters SET version = $1 WHERE project_id = $2;

-- name: PutState :exec
INSERT INTO states (id, project_id, name, category, position, wip_limit, archived) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, position = EXCLUDED.position, wip_limit = EXCLUDED.wip_limit, archived = EXCLUDED.archived;

-- name: DropState :exec
DELETE FROM states WHERE id = $1 AND project_id = $2;

-- name: PutLabel :exec
INSERT INTO labels (id, project_id, name, color, position) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, color = EXCLUDED.color, position = EXCLUDED.position;

-- name: DropLabel :exec
DELETE FROM labels WHERE id = $1 AND project_id = $2;

-- name: PutMember :exec
INSERT INTO members (project_id, person_id, role) VALUES ($1, $2, $3) ON CONFLICT (project_id, person_id) DO UPDATE SET role = EXCLUDED.role;

-- name: DropMember :exec
DELETE FROM members WHERE project_id = $1 AND person_id = $2;

-- name: ViewsOf :many
SELECT * FROM views WHERE project_id = $1 AND (shared OR owner = $2) ORDER BY name, id;

-- name: View :one
SELECT * FROM views WHERE project_id = $1 AND id = $2;

-- name: CountViews :one
SELECT COUNT(*) FROM views WHERE project_id = $1;

-- name: PutView :exec
INSERT INTO views (id, project_id, name, filter, layout, group_by, sort, owner, shared, version, created, updated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, filter = EXCLUDED.filter, layout = EXCLUDED.layout, group_by = EXCLUDED.group_by,
  sort = EXCLUDED.sort, shared = EXCLUDED.shared, version = EXCLUDED.version, updated = EXCLUDED.updated;

-- name: DropView :exec
DELETE FROM views WHERE id = $1;

-- name: StateCategories :many
SELECT id, project_id, category FROM states WHERE project_id = ANY(@projects::uuid[]);
