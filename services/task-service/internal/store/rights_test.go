package store_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store"
)

// provisioning is where operators find the scripts that make users and grant rights.
const provisioning = "../../../../deploy"

// cleanupTimeout bounds what removes a test's user.
const cleanupTimeout = 30 * time.Second

// provision does on an empty database what a deployment does: the script that makes users, the migrations by the user who
// may, the script that grants rights. It returns the database's URL for task-service's user, so that the whole suite shows
// that its rights are enough.
func provision(t testing.TB, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatalf("parse database URL: %v", err)
	}
	engine, err := db.EngineOf(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	database := strings.TrimPrefix(u.Path, "/")
	prefix := "tt" + strings.ToLower(rand.Text()[:10]) + "_" // users belong to the server, and so to all tests at once
	names := strings.NewReplacer("<database>", database, "tallyboard_", prefix,
		"<migrate-password>", "m", "<task-password>", "t", "<stats-password>", "s", "<tls>", "NONE")
	run, folder := onMySQL, "mysql"
	var owner []string
	clean := []string{"DROP USER '" + prefix + "migrate'@'%', '" + prefix + "task'@'%', '" + prefix + "stats'@'%'"}
	if engine == db.Postgres {
		run, folder = onPostgres, "postgres"
		owner = []string{"ALTER DATABASE " + database + " OWNER TO " + prefix + "migrate"} // the test's database exists already
		clean = []string{"ALTER DATABASE " + database + " OWNER TO CURRENT_USER"}
		for _, who := range []string{"migrate", "task", "stats"} {
			clean = append(clean, "DROP OWNED BY "+prefix+who, "DROP ROLE "+prefix+who)
		}
	}
	run(t.Context(), t, rawURL, append(statements(t, folder, "users.sql", names), owner...))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		run(ctx, t, rawURL, clean)
	})
	u.User = url.UserPassword(prefix+"migrate", "m")
	if err := store.Migrate(t.Context(), u.String(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	run(t.Context(), t, rawURL, statements(t, folder, "grants.sql", names))
	u.User = url.UserPassword(prefix+"task", "t")
	return u.String()
}

// statements reads a script, without what concerns stats-service's own tables, which are not there.
func statements(t testing.TB, folder, file string, names *strings.Replacer) []string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(provisioning, folder, file))
	if err != nil {
		t.Fatalf("read provisioning script: %v", err)
	}
	var out []string
	for _, s := range split(string(script)) {
		if !strings.Contains(s, "stats_cursor") && !strings.Contains(s, "`stats_") && !strings.Contains(s, "stats_leases") && !strings.Contains(s, "goose_stats") {
			out = append(out, names.Replace(s))
		}
	}
	return out
}

// split cuts a script into statements; a DO block keeps its semicolons.
func split(script string) []string {
	var out []string
	var b strings.Builder
	inBlock := false
	for line := range strings.Lines(script) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "--") {
			continue
		}
		b.WriteString(line)
		if strings.Count(line, "$$")%2 == 1 {
			inBlock = !inBlock
		}
		if strings.HasSuffix(text, ";") && !inBlock {
			out = append(out, strings.TrimSuffix(strings.TrimSpace(b.String()), ";"))
			b.Reset()
		}
	}
	return out
}

func onMySQL(ctx context.Context, t testing.TB, rawURL string, statements []string) {
	t.Helper()
	pool, err := db.OpenMySQL(ctx, db.Config{URL: rawURL, PoolSize: 1}, db.Options{})
	if err != nil {
		t.Fatalf("open as administrator: %v", err)
	}
	defer closing(t, pool)
	for _, s := range statements {
		if _, err := pool.ExecContext(ctx, s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func closing(t testing.TB, pool *sql.DB) {
	t.Helper()
	if err := pool.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func onPostgres(ctx context.Context, t testing.TB, rawURL string, statements []string) {
	t.Helper()
	conn, err := pgx.Connect(ctx, rawURL)
	if err != nil {
		t.Fatalf("connect as administrator: %v", err)
	}
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	if err := conn.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}
