package provision

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// applyConfig sets a fresh database up with awkward passwords, beside a NATS server of the deployment's configuration.
func applyConfig(t *testing.T, databaseURL string) ApplyConfig {
	t.Helper()
	natsURL, secrets := natsServer(t)
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/"
	if u.Scheme == "postgres" {
		u.Path = "/postgres"
	}
	return ApplyConfig{
		AdminURL: u.String(), Database: name, SQLDir: deployDir, Consumers: []string{"stats"}, Timeout: patience, Retry: 50 * time.Millisecond,
		MigratePassword: `mi'gr\a"te; --`, TaskPassword: `ta'sk\`, StatsPassword: `st@ts:/?#%`,
		NATS: jsbus.Config{URL: natsURL, NKeySeedFile: filepath.Join(secrets.Dir, "provision", "nats.seed"), InboxPrefix: "_INBOX_admin",
			CAFile: authority(secrets, "provision")},
	}
}

// openAs opens the database as one of its users.
func openAs(t *testing.T, cfg ApplyConfig, user, secret string) *sql.DB {
	t.Helper()
	rawURL, err := cfg.urlAs(user, secret, cfg.Database)
	if err != nil {
		t.Fatal(err)
	}
	var pool *sql.DB
	if engine, _ := db.EngineOf(rawURL); engine == db.MySQL {
		dsn, err := mysqlDSN(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		connector, err := mysql.NewConnector(dsn)
		if err != nil {
			t.Fatal(err)
		}
		pool = sql.OpenDB(connector)
	} else if pool, err = sql.Open("pgx", rawURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return pool
}

func TestApplyGivesEachServiceWhatItNeedsAndNoMore(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			cfg := applyConfig(t, engine.Open(t))
			t.Cleanup(func() { removeUsers(t, cfg) })
			for range 2 { // it may run again
				if err := Apply(t.Context(), cfg, slog.New(slog.DiscardHandler)); err != nil {
					t.Fatal(err)
				}
			}
			task, stats := openAs(t, cfg, taskUser, cfg.TaskPassword), openAs(t, cfg, statsUser, cfg.StatsPassword)
			for _, c := range []struct {
				as        *sql.DB
				who       string
				statement string
				allowed   bool
			}{
				{task, "task-service", "SELECT COUNT(*) FROM tasks", true},
				{task, "task-service", "SELECT id FROM events WHERE pos IS NULL FOR UPDATE", true},
				{task, "task-service", "SELECT version FROM projects FOR UPDATE", true},
				{task, "task-service", "UPDATE events SET pos = 1 WHERE id = -1", true},
				{task, "task-service", "UPDATE events SET kind = 'x' WHERE id = -1", false},
				{task, "task-service", "DELETE FROM events", false},
				{task, "task-service", "DELETE FROM tasks", false},
				{task, "task-service", "SELECT COUNT(*) FROM stats_tasks", false},
				{task, "task-service", "CREATE TABLE other (id INT)", false},
				{task, "task-service", "DROP TABLE views", false},
				{task, "task-service", "UPDATE goose_task SET version_id = 0", false},
				{stats, "stats-service", "SELECT COUNT(*) FROM events", true},
				{stats, "stats-service", "DELETE FROM stats_tasks", true},
				{stats, "stats-service", "UPDATE tasks SET title = 'x'", false},
				{stats, "stats-service", "INSERT INTO events (id) VALUES (1)", false},
				{stats, "stats-service", "SELECT COUNT(*) FROM comments", false},
				{stats, "stats-service", "SELECT COUNT(*) FROM idempotency", false},
				{stats, "stats-service", "DROP TABLE stats_tasks", false},
			} {
				_, err := c.as.ExecContext(t.Context(), c.statement)
				if (err == nil) != c.allowed {
					t.Errorf("%s: %s: %v", c.who, c.statement, err)
				}
			}
		})
	}
}

// removeUsers leaves the test server as it was.
func removeUsers(t *testing.T, cfg ApplyConfig) {
	t.Helper()
	admin, err := cfg.adminURL("")
	if err != nil {
		t.Fatal(err)
	}
	users := []string{migrateUser, taskUser, statsUser}
	if engine, _ := db.EngineOf(admin); engine == db.MySQL {
		if err := runScript(context.Background(), admin, "DROP USER '"+strings.Join(users, "'@'%', '")+"'@'%'"); err != nil {
			t.Error(err)
		}
		return
	}
	inside, err := cfg.adminURL(cfg.Database)
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Join(users, ", ")
	script := fmt.Sprintf("REASSIGN OWNED BY %s TO CURRENT_USER; DROP OWNED BY %s; DROP ROLE %s", list, list, list)
	if err := runScript(context.Background(), inside, script); err != nil {
		t.Error(err)
	}
}

func TestApplySaysAtOnceWhatWaitingDoesNotMend(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			cfg := applyConfig(t, engine.Open(t))
			u, err := url.Parse(cfg.AdminURL)
			if err != nil {
				t.Fatal(err)
			}
			u.User = url.UserPassword("nobody_of_that_name", "x")
			cfg.AdminURL, cfg.Timeout = u.String(), time.Hour
			if err := Apply(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil {
				t.Error("no error for a wrong administrator")
			}
		})
	}
}

func TestApplyNamesTheServerThatDoesNotCome(t *testing.T) {
	t.Parallel()
	cfg := ApplyConfig{
		AdminURL: "mysql://root@127.0.0.1:1/", Database: "x", SQLDir: deployDir, MigratePassword: "a", TaskPassword: "b", StatsPassword: "c",
		Timeout: 100 * time.Millisecond, Retry: 10 * time.Millisecond,
	}
	err := Apply(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "the database did not become ready within") {
		t.Errorf("error %v", err)
	}
}

// A table that a migration makes and no grant names is one that no service can use: it shows here, not in production.
func TestEveryTableOfTheSchemaIsGranted(t *testing.T) {
	t.Parallel()
	table := regexp.MustCompile(`(?m)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	for _, engine := range []string{"mysql", "postgres"} {
		grants, err := os.ReadFile(filepath.Join(deployDir, engine, "grants.sql"))
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for _, word := range regexp.MustCompile(`\w+`).FindAllString(string(grants), -1) {
			named[word] = true
		}
		for _, pattern := range []string{"../../../internal/access/migrations/" + engine, "../../../*/internal/store/" + engine + "/migrations"} {
			migrations, err := filepath.Glob(pattern + "/*.sql")
			if err != nil || len(migrations) == 0 {
				t.Fatalf("no migrations in %s: %v", pattern, err)
			}
			for _, migration := range migrations {
				content, err := os.ReadFile(migration)
				if err != nil {
					t.Fatal(err)
				}
				for _, match := range table.FindAllStringSubmatch(string(content), -1) {
					if !named[match[1]] {
						t.Errorf("deploy/%s/grants.sql does not name %s of %s", engine, match[1], filepath.Base(migration))
					}
				}
			}
		}
	}
}
