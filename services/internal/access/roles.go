package access

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
)

// MySQLRoles reads roles from MySQL or MariaDB through a service's own pool.
type MySQLRoles struct{ pool *sql.DB }

// NewMySQLRoles returns a RoleSource on the table members.
func NewMySQLRoles(pool *sql.DB) MySQLRoles { return MySQLRoles{pool} }

// RoleOf implements RoleSource. It fails with apperr.Unavailable or apperr.Timeout while the database is away.
func (r MySQLRoles) RoleOf(ctx context.Context, person, project uuid.UUID) (Role, bool, error) {
	var role Role
	err := r.pool.QueryRowContext(ctx, "SELECT role FROM members WHERE project_id = ? AND person_id = ?", project[:], person[:]).
		Scan(&role)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return roleRead(role, err)
}

// PostgresRoles reads roles from PostgreSQL through a service's own pool.
type PostgresRoles struct{ pool *pgxpool.Pool }

// NewPostgresRoles returns a RoleSource on the table members.
func NewPostgresRoles(pool *pgxpool.Pool) PostgresRoles { return PostgresRoles{pool} }

// RoleOf implements RoleSource. It fails with apperr.Unavailable or apperr.Timeout while the database is away.
func (r PostgresRoles) RoleOf(ctx context.Context, person, project uuid.UUID) (Role, bool, error) {
	var role Role
	err := r.pool.QueryRow(ctx, "SELECT role FROM members WHERE project_id = $1 AND person_id = $2", project, person).Scan(&role)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	return roleRead(role, err)
}

// roleRead refuses a role this program does not know, which a newer one may have stored: no right is better than a
// wrong one.
func roleRead(role Role, err error) (Role, bool, error) {
	if err != nil {
		return "", false, fmt.Errorf("read role: %w", db.Classify(err))
	}
	return role, role.Valid(), nil
}

// maxCachedRoles bounds the memory of CachedRoles: at about 100 bytes each, some 2 MiB.
const maxCachedRoles = 20_000

// CachedRoles remembers the answers of another RoleSource for RoleCacheTTL, counted from when they were asked for. It is
// safe for concurrent use.
type CachedRoles struct {
	source RoleSource

	mu    sync.Mutex
	known map[membership]cachedRole
}

type membership struct{ person, project uuid.UUID }

type cachedRole struct {
	role   Role
	member bool
	until  time.Time
}

// NewCachedRoles returns a cache in front of source.
func NewCachedRoles(source RoleSource) *CachedRoles {
	return &CachedRoles{source: source, known: map[membership]cachedRole{}}
}

// RoleOf implements RoleSource. Failures are not remembered.
func (c *CachedRoles) RoleOf(ctx context.Context, person, project uuid.UUID) (Role, bool, error) {
	key, now := membership{person, project}, time.Now()
	c.mu.Lock()
	found, ok := c.known[key]
	c.mu.Unlock()
	if ok && now.Before(found.until) {
		return found.role, found.member, nil
	}
	role, member, err := c.source.RoleOf(ctx, person, project)
	if err != nil {
		return "", false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxCachedRoles {
		clear(c.known) // a second's worth: it fills again
	}
	c.known[key] = cachedRole{role, member, now.Add(RoleCacheTTL)}
	return role, member, nil
}

// Len returns how many answers are remembered.
func (c *CachedRoles) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.known)
}
