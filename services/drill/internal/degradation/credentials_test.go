package degradation

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/proxy"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// logins is how often a second a replica may ask a server that refuses it, with all its pools.
const logins = 8

// credentialsWrong: a replica whose password the server does not take stays alive, says so without telling the password,
// does not hammer the server, and serves as soon as the server takes it. The same if the password is changed under it.
func credentialsWrong(t *testing.T, r *rig) {
	t.Helper()
	const password = "s3cret-of-the-service"
	r.setPassword(t, "another")
	type guest struct {
		*single
		link  *proxy.Link
		probe string // what it answers
	}
	var guests []guest
	for _, program := range []struct{ name, path, probe string }{
		{"guest-task", programs.tasks, "/api/v1/projects"}, {"guest-stats", programs.stats, "/api/v1/stats/status"},
	} {
		link := gate(t, program.name+"→database", r.DB.Addr())
		guests = append(guests, guest{r.one(t, program.name, program.path, "DATABASE_URL="+r.DB.URL("guest", link.Addr(), ""), "DATABASE_PASSWORD="+password), link, program.probe})
	}
	for _, g := range guests {
		g.says(t, http.StatusServiceUnavailable, "database", "wrong user or password")
		g.logs(t, "wrong user or password", password)
		g.besieged(t, g.link, g.probe, logins)
	}
	r.setPassword(t, password)
	for _, g := range guests {
		g.says(t, http.StatusOK, "database", "")
	}
	r.setPassword(t, "rotated")
	for _, g := range guests {
		g.link.Cut() // what is logged in stays so
	}
	for _, g := range guests {
		g.says(t, http.StatusServiceUnavailable, "database", "wrong user or password")
		r.refuses(t, request{at: g.addr, path: g.probe}, "database")
		g.besieged(t, g.link, g.probe, logins)
	}
	r.setPassword(t, password)
	for _, g := range guests {
		g.says(t, http.StatusOK, "database", "")
		until(t, g.Name()+" answers", func() error {
			if a := r.ask(t, request{at: g.addr, path: g.probe}); !a.ok() {
				return answerError(a)
			}
			return nil
		})
		g.logs(t, "ready", password)
	}
}

// setPassword gives the user guest a password, and all rights to the services' database.
func (r *rig) setPassword(t *testing.T, password string) {
	t.Helper()
	statements := []string{
		"CREATE USER IF NOT EXISTS guest@'%'", "ALTER USER guest@'%' IDENTIFIED BY '" + password + "'", "GRANT ALL ON tallyboard.* TO guest@'%'",
	}
	if r.engine == cluster.Postgres {
		r.demandPassword(t)
		statements = []string{
			"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'guest') THEN CREATE ROLE guest LOGIN; END IF; END $$",
			"ALTER ROLE guest PASSWORD '" + password + "'", "GRANT ALL ON ALL TABLES IN SCHEMA public TO guest", "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO guest",
		}
	}
	r.exec(t, statements...)
}

func (r *rig) exec(t *testing.T, statements ...string) {
	t.Helper()
	if err := execAll(t.Context(), r.db, statements...); err != nil {
		t.Fatal(err)
	}
}

func execAll(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// demandPassword makes PostgreSQL, which trusts everybody here, ask guest for one.
func (r *rig) demandPassword(t *testing.T) {
	t.Helper()
	const line = "host all guest 127.0.0.1/32 scram-sha-256\n"
	var file string
	if err := r.scan(t, "SHOW hba_file", &file); err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(rules), line) {
		return
	}
	if err := os.WriteFile(file, append([]byte(line), rules...), 0o600); err != nil {
		t.Fatal(err)
	}
	r.exec(t, "SELECT pg_reload_conf()")
}

// seedWrong: NATS does not know a replica's key. The board works, health and log say why it is degraded, and it connects
// as soon as NATS has been told.
func seedWrong(t *testing.T, r *rig) {
	t.Helper()
	key, public := userKey(t)
	_, other := userKey(t)
	file := filepath.Join(folder(t), "seed")
	if err := os.WriteFile(file, key, 0o600); err != nil {
		t.Fatal(err)
	}
	opts := &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: folder(t), NoSigs: true, Nkeys: []*server.NkeyUser{{Nkey: other}}}
	nats := serve(t, opts)
	link, began := gate(t, "keyed→nats", nats.Addr().String()), time.Now()
	s := r.one(t, "keyed", programs.tasks, "NATS_URL=nats://"+link.Addr(), "NATS_NKEY_SEED_FILE="+file)
	s.says(t, http.StatusOK, "nats", "refuses this identity")
	s.logs(t, "NATS refuses this identity", strings.TrimSpace(string(key)))
	fewTries(t, link, link.Stats().Accepted, time.Since(began), logins)
	if a := r.ask(t, request{at: s.addr, path: "/api/v1/projects/" + projectKey + "/tasks"}); !a.ok() {
		t.Errorf("the board does not work: %s", a)
	}
	right := opts.Clone()
	right.Nkeys = []*server.NkeyUser{{Nkey: public}}
	if err := nats.ReloadOptions(right); err != nil {
		t.Fatal(err)
	}
	until(t, "it connects", func() error { return r.healthy(t, s.addr, "nats") })
}

func userKey(t *testing.T) (seed []byte, public string) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err = pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	public, err = pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return seed, public
}

// serve runs a NATS server within the test.
func serve(t *testing.T, opts *server.Options) *server.Server {
	t.Helper()
	srv, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		for end := time.Now().Add(patience); srv.NumClients() > 0 && time.Now().Before(end); {
			<-time.After(pace) // they have ended before, so it only has to notice
		}
		if n := srv.NumClients(); n > 0 {
			t.Errorf("%d clients are still connected", n)
		}
		testkit.EndNATS(srv)
	})
	if !srv.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	return srv
}
