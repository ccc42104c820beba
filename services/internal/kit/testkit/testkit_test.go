package testkit

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds the wait for an answer of NATS; only a test that fails uses it up.
const patience = time.Minute

func TestEnginesGiveFreshDatabasesAndDropThem(t *testing.T) {
	t.Parallel()
	for _, engine := range Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			var first, second string
			t.Run("use", func(t *testing.T) {
				first, second = engine.Open(t), engine.Open(t)
				if first == second {
					t.Fatalf("the same database twice: %s", first)
				}
				for _, u := range []string{first, second} {
					if got := tables(t, engine.Name, u); got != 0 {
						t.Errorf("a fresh database holds %d tables", got)
					}
				}
			})
			if databaseExists(t, engine.Name, first) || databaseExists(t, engine.Name, second) {
				t.Error("databases outlived their test")
			}
		})
	}
}

func TestEnginesAreTheOnesTheirNamesSay(t *testing.T) {
	t.Parallel()
	for _, engine := range Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			var version string
			query(t, engine.Name, engine.Open(t), "SELECT version()", &version)
			t.Logf("%s: %s", engine.Name, version)
			isMariaDB, isPostgres := strings.Contains(version, "MariaDB"), strings.HasPrefix(version, "PostgreSQL")
			if isMariaDB != (engine.Name == "mariadb") || isPostgres != (engine.Name == "postgres") {
				t.Errorf("%s is %s", engine.Name, version)
			}
		})
	}
}

func TestManyDatabasesAtOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			const n = 20
			urls := make([]string, n)
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() { urls[i] = engine.Open(t) })
			}
			wg.Wait()
			seen := map[string]bool{}
			for _, u := range urls {
				seen[u] = true
			}
			if len(seen) != n {
				t.Errorf("%d databases for %d calls", len(seen), n)
			}
		})
	}
}

func TestAbandonedKnowsItsOwnOldDatabasesOnly(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for name, want := range map[string]bool{
		newName(now):                     false,
		newName(now.Add(-5 * time.Hour)): false,
		newName(now.Add(-7 * time.Hour)): true,
		"tallyboard":                     false,
		"tallytest_":                     false,
		"tallytest_!_x":                  false,
		"mysql":                          false,
	} {
		if got := abandoned(name, now); got != want {
			t.Errorf("abandoned(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestNATSServerKeepsStreamsAndPortThroughRestart(t *testing.T) {
	t.Parallel()
	srv := NATSServer(t)
	before := srv.URL()
	publish(t, before, "tasks.a", "one")
	srv.Stop()
	if srv.Running() {
		t.Fatal("running after Stop")
	}
	if nc, err := nats.Connect(srv.URL()); err == nil {
		nc.Close()
		t.Fatal("a stopped server takes connections")
	}
	srv.Restart()
	if srv.URL() != before {
		t.Fatalf("URL changed from %s to %s", before, srv.URL())
	}
	if got := publish(t, srv.URL(), "tasks.a", "two"); got != 2 {
		t.Errorf("sequence after restart = %d, want 2", got)
	}
	srv.Wipe()
	if got := publish(t, srv.URL(), "tasks.a", "three"); got != 1 {
		t.Errorf("sequence after wipe = %d, want 1", got)
	}
}

// publish makes sure the stream is there, publishes once and returns the message's stream sequence.
func publish(t *testing.T, url, subject, data string) uint64 {
	t.Helper()
	nc, err := nats.Connect(url, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "TASKS", Subjects: []string{"tasks.>"}}); err != nil {
		t.Fatal(err)
	}
	ack, err := js.Publish(ctx, subject, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return ack.Sequence
}

func tables(t *testing.T, engine, databaseURL string) (n int) {
	t.Helper()
	where := "database()"
	if engine == "postgres" {
		where = "'public'"
	}
	query(t, engine, databaseURL, "SELECT count(*) FROM information_schema.tables WHERE table_schema = "+where, &n)
	return n
}

func databaseExists(t *testing.T, engine, databaseURL string) bool {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	from := "information_schema.schemata WHERE schema_name"
	if engine == "postgres" {
		from, u.Path = "pg_database WHERE datname", "/postgres"
	}
	var n int
	query(t, engine, u.String(), "SELECT count(*) FROM "+from+" = '"+name+"'", &n)
	return n > 0
}

// query reads one value on a connection of its own.
func query(t *testing.T, engine, databaseURL, statement string, into any) {
	t.Helper()
	run := onMySQL
	if engine == "postgres" {
		run = onPostgres
	} else if strings.Contains(statement, "database()") {
		statement = strings.ReplaceAll(statement, "database()", "'"+databaseURL[strings.LastIndex(databaseURL, "/")+1:]+"'")
	}
	err := run(t.Context(), databaseURL, func(db *sql.DB) error {
		return db.QueryRowContext(context.WithoutCancel(t.Context()), statement).Scan(into)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestServersEndWithWhatTheyHaveJustMade stops servers while they make a stream; what stays of it, TestMain finds.
func TestServersEndWithWhatTheyHaveJustMade(t *testing.T) {
	t.Parallel()
	for range 20 {
		srv := NATSServer(t)
		nc, err := nats.Connect(srv.URL(), nats.Timeout(patience), nats.NoReconnect())
		if err != nil {
			t.Fatal(err)
		}
		if err := nc.Publish("$JS.API.STREAM.CREATE.A", []byte(`{"name":"A","subjects":["a"]}`)); err != nil {
			t.Fatal(err)
		}
		if err := nc.FlushTimeout(patience); err != nil { // the server has it, and has perhaps begun with it
			t.Fatal(err)
		}
		srv.Stop()
		nc.Close()
	}
}
