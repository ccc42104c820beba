-- name: ProjectByKey :one
SELECT * FROM projects WHERE pkey = ?;

-- name: ProjectByID :one
SELECT * FROM projects WHERE id = ?;

-- name: ProjectForUpdate :one
SELECT * FROM projects WHERE id = ? FOR UPDATE;

-- name: ShareProject :one
SELECT version FROM projects WHERE id = ? LOCK IN SHARE MODE;

-- name: Projects :many
SELECT * FROM projects ORDER BY pkey;

-- name: StatesOf :many
SELECT * FROM states WHERE project_id = ? ORDER BY position, id;

-- name: LabelsOf :many
SELECT * FROM labels WHERE project_id = ? ORDER BY position, id;

-- name: MembersOf :many
SELECT * FROM members WHERE project_id = ? ORDER BY person_id;

-- name: AllStates :many
SELECT * FROM states ORDER BY project_id, position, id;

-- name: AllLabels :many
SELECT * FROM labels ORDER BY project_id, position, id;

-- name: AllMembers :many
SELECT * FROM members ORDER BY project_id, person_id;

-- name: InsertProject :exec
INSERT INTO projects (id, pkey, name, description, version, seq, created, created_by, updated, archived)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: UpdateProject :exec
UPDATE projects SET name = ?, description = ?, version = ?, seq = ?, updated = ?, archived = ? WHERE id = ?;

-- name: InsertCounters :exec
INSERT INTO project_counters (project_id, last_number, version) VALUES (?, 0, ?);

-- name: SetLastNumber :exec
UPDATE project_counters SET last_number = ? WHERE project_id = ?;

-- name: SetCountersVersion :exec
UPDATE project_counters SET version = ? WHERE project_id = ?;

-- name: PutState :exec
INSERT INTO states (id, project_id, name, category, position, wip_limit, archived) VALUES (?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE name = VALUES(name), position = VALUES(position), wip_limit = VALUES(wip_limit), archived = VALUES(archived);

-- name: DropState :exec
DELETE FROM states WHERE id = ? AND project_id = ?;

-- name: PutLabel :exec
INSERT INTO labels (id, project_id, name, color, position) VALUES (?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE name = VALUES(name), color = VALUES(color), position = VALUES(position);

-- name: DropLabel :exec
DELETE FROM labels WHERE id = ? AND project_id = ?;

-- name: PutMember :exec
INSERT INTO members (project_id, person_id, role) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE role = VALUES(role);

-- name: DropMember :exec
DELETE FROM members WHERE project_id = ? AND person_id = ?;

-- name: ViewsOf :many
SELECT * FROM views WHERE project_id = ? AND (shared OR owner = ?) ORDER BY name, id;

-- name: View :one
SELECT * FROM views WHERE project_id = ? AND id = ?;

-- name: CountViews :one
SELECT COUNT(*) FROM views WHERE project_id = ?;

-- name: PutView :exec
INSERT INTO views (id, project_id, name, filter, layout, group_by, sort, owner, shared, version, created, updated)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE name = VALUES(name), filter = VALUES(filter), layout = VALUES(layout), group_by = VALUES(group_by),
  sort = VALUES(sort), shared = VALUES(shared), version = VALUES(version), updated = VALUES(updated);

-- name: DropView :exec
DELETE FROM views WHERE id = ?;

-- name: StateCategories :many
SELECT id, project_id, category FROM states WHERE project_id IN (sqlc.slice('projects'));
