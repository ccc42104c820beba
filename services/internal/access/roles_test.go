package access_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/access/migrations"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// members is a migrated database with a way to write to it.
type members struct {
	roles access.RoleSource
	put   func(project, person uuid.UUID, role string) error
}

func openMembers(t *testing.T, url string) members {
	t.Helper()
	engine, err := db.EngineOf(url)
	if err != nil {
		t.Fatal(err)
	}
	files := migrations.MySQL()
	if engine == db.Postgres {
		files = migrations.Postgres()
	}
	if err := db.Migrate(t.Context(), url, migrations.Table, files, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	cfg := db.Config{URL: url, PoolSize: 2}
	if engine == db.Postgres {
		pool, err := db.OpenPostgres(t.Context(), cfg, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return members{access.NewPostgresRoles(pool), func(project, person uuid.UUID, role string) error {
			_, err := pool.Exec(context.Background(), "INSERT INTO members (project_id, person_id, role) VALUES ($1, $2, $3)", project, person, role)
			return err
		}}
	}
	pool, err := db.OpenMySQL(t.Context(), cfg, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return members{access.NewMySQLRoles(pool), func(project, person uuid.UUID, role string) error {
		_, err := pool.ExecContext(context.Background(), "INSERT INTO members (project_id, person_id, role) VALUES (?, ?, ?)", project[:], person[:], role)
		return err
	}}
}

func TestRolesAreReadFromEveryEngine(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			m := openMembers(t, engine.Open(t))
			project, other := uuid.New(), uuid.New()
			if err := m.put(project, access.OwnerID, "editor"); err != nil {
				t.Fatal(err)
			}
			if err := m.put(project, access.SystemID, "emperor"); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				person, project uuid.UUID
				role            access.Role
				member          bool
			}{
				{access.OwnerID, project, access.Editor, true},
				{access.OwnerID, other, "", false},
				{uuid.New(), project, "", false},
				{access.SystemID, project, "emperor", false}, // a role of a newer version gives no right here
			} {
				role, member, err := m.roles.RoleOf(t.Context(), c.person, c.project)
				if err != nil || member != c.member || (member && role != c.role) {
					t.Errorf("role of %s in %s = %q, %v, %v; want %q, %v", c.person, c.project, role, member, err, c.role, c.member)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, _, err := m.roles.RoleOf(ctx, access.OwnerID, project); !apperr.Is(err, apperr.Canceled) {
				t.Errorf("a cancelled request gets %v, want canceled", err)
			}
		})
	}
}

// changingRole answers what it is set to and counts.
type changingRole struct {
	role  access.Role
	err   error
	asked int
}

func (r *changingRole) RoleOf(context.Context, uuid.UUID, uuid.UUID) (access.Role, bool, error) {
	r.asked++
	return r.role, r.role != "", r.err
}

func TestRevokedRoleStopsWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &changingRole{role: access.Owner}
		cached := access.NewCachedRoles(source)
		person, project := uuid.New(), uuid.New()
		ask := func() (access.Role, bool) {
			role, member, err := cached.RoleOf(t.Context(), person, project)
			if err != nil {
				t.Fatal(err)
			}
			return role, member
		}
		for range 10 {
			if role, member := ask(); role != access.Owner || !member {
				t.Fatalf("role = %q, %v", role, member)
			}
		}
		if source.asked != 1 {
			t.Errorf("asked %d times within a moment, want once", source.asked)
		}
		source.role = ""
		time.Sleep(access.RoleCacheTTL)
		if _, member := ask(); member {
			t.Error("a revoked role still works after a second")
		}
		source.err = errors.New("away")
		time.Sleep(access.RoleCacheTTL)
		if _, _, err := cached.RoleOf(t.Context(), person, project); !errors.Is(err, source.err) {
			t.Errorf("a failure came back as %v", err)
		}
		source.err, source.role = nil, access.Viewer
		if role, member := ask(); role != access.Viewer || !member {
			t.Errorf("after a failure the role is %q, %v; want it read again", role, member)
		}
	})
}

func TestCacheStaysBounded(t *testing.T) {
	t.Parallel()
	cached := access.NewCachedRoles(&changingRole{role: access.Viewer})
	for range 50_000 {
		if _, _, err := cached.RoleOf(t.Context(), uuid.New(), uuid.New()); err != nil {
			t.Fatal(err)
		}
	}
	if n := cached.Len(); n > 20_000 {
		t.Errorf("%d roles are remembered, want at most 20,000", n)
	}
}
