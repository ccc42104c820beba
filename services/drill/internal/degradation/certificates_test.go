package degradation

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// Names of servers in certificates.
const (
	thisMachine = "localhost"
	elsewhere   = "elsewhere.example"
)

// Certificates are valid from long ago until later, unless they have expired.
func longAgo() time.Time { return time.Now().Add(-2 * time.Hour) }

func later() time.Time { return time.Now().Add(2 * time.Hour) }

// expiry returns a moment as certificates know it, and how log and health name it once it is over.
func expiry(at time.Time) (rounded time.Time, words string) {
	at = at.Truncate(time.Second)
	return at, "(CN=" + thisMachine + ") expired at " + at.UTC().Format(time.RFC3339)
}

// databaseCertificate: a replica refuses a server whose certificate has expired or is another's, names it and its expiry,
// stays alive, and serves as soon as the certificate is replaced.
func databaseCertificate(t *testing.T, r *rig) {
	t.Helper()
	ca := testkit.NewAuthority(t, "Authority of a test")
	dir := serverFolder(t)
	r.keepTLS(t) // behind the folder: it is undone before that is removed
	words := r.showExpired(t, ca, dir)
	env := []string{"DATABASE_URL=" + r.DB.URL("", thisMachine+":"+portOf(t, r.DB.Addr()), ""), "DATABASE_CA_FILE=" + ca.File()}
	replicas := []*single{r.one(t, "secure-task", programs.tasks, env...), r.one(t, "secure-stats", programs.stats, env...)}
	say := func(status int, words string) {
		for _, s := range replicas {
			s.says(t, status, "database", words)
		}
	}
	say(http.StatusServiceUnavailable, words)
	for _, s := range replicas {
		s.logs(t, words)
	}
	for _, next := range []struct {
		of    *testkit.Authority
		name  string
		state int
		words string
	}{
		{ca, elsewhere, http.StatusServiceUnavailable, "is for another host name"},
		{testkit.NewAuthority(t, "Authority of others"), thisMachine, http.StatusServiceUnavailable, "authority that is not trusted"},
		{ca, thisMachine, http.StatusOK, ""},
	} {
		if err := r.showCertificate(t, next.of, dir, next.name, later()); err != nil {
			t.Fatal(err)
		}
		say(next.state, next.words)
	}
}

// serverFolder returns one that the database's server may read, and nobody else.
func serverFolder(t *testing.T) string {
	t.Helper()
	dir := folder(t)
	if err := cluster.Own(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// showExpired makes the server show a certificate that has expired, and returns how that is put into words. PostgreSQL takes
// one of an hour ago. MySQL refuses it, so it gets one that still lasts for a little, and longer each time it came too late
// for that, and its end is awaited: how fast the machine is makes no difference.
func (r *rig) showExpired(t *testing.T, ca *testkit.Authority, dir string) (words string) {
	t.Helper()
	if r.engine == cluster.Postgres {
		at, words := expiry(time.Now().Add(-time.Hour))
		if err := r.showCertificate(t, ca, dir, thisMachine, at); err != nil {
			t.Fatal(err)
		}
		return words
	}
	for lasts := 2 * time.Second; ; lasts *= 2 {
		at, words := expiry(time.Now().Add(lasts))
		err := r.showCertificate(t, ca, dir, thisMachine, at)
		if err == nil {
			for !time.Now().After(at) { // by the clock of the machine, as the replicas look at it
				rest(t, pace)
			}
			return words
		}
		if lasts > patience {
			t.Fatalf("the server does not take a certificate that lasts for %s: %v", lasts, err)
		}
	}
}

// showCertificate makes the running server show a certificate to those who want TLS.
func (r *rig) showCertificate(t *testing.T, a *testkit.Authority, dir, name string, until time.Time) error {
	t.Helper()
	cert, key := a.Texts(a.IssueFor(longAgo(), until, name))
	files := map[string]string{"ca": filepath.Join(dir, "ca.crt"), "cert": filepath.Join(dir, "server.crt"), "key": filepath.Join(dir, "server.key")}
	for what, text := range map[string][]byte{"ca": a.PEM(), "cert": cert, "key": key} {
		if err := os.WriteFile(files[what], text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := cluster.Own(files[what]); err != nil {
			t.Fatal(err)
		}
	}
	if r.engine == cluster.Postgres {
		return execAll(t.Context(), r.db, "ALTER SYSTEM SET ssl_cert_file = '"+files["cert"]+"'", "ALTER SYSTEM SET ssl_key_file = '"+files["key"]+"'", "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
	}
	return execAll(t.Context(), r.db, "SET GLOBAL ssl_ca = '"+files["ca"]+"'", "SET GLOBAL ssl_cert = '"+files["cert"]+"'", "SET GLOBAL ssl_key = '"+files["key"]+"'", "ALTER INSTANCE RELOAD TLS")
}

// keepTLS has the server show, when the test ends, what it showed before, instead of files that are gone.
func (r *rig) keepTLS(t *testing.T) {
	t.Helper()
	back := []string{"ALTER SYSTEM RESET ssl", "ALTER SYSTEM RESET ssl_cert_file", "ALTER SYSTEM RESET ssl_key_file", "SELECT pg_reload_conf()"}
	if r.engine == cluster.MySQL {
		back = nil
		for _, name := range []string{"ssl_ca", "ssl_cert", "ssl_key"} {
			var was string
			if err := r.scan(t, "SELECT @@GLOBAL."+name, &was); err != nil {
				t.Fatal(err)
			}
			back = append(back, "SET GLOBAL "+name+" = '"+was+"'")
		}
		back = append(back, "ALTER INSTANCE RELOAD TLS")
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if err := execAll(ctx, r.db, back...); err != nil {
			t.Error(err)
		}
		if r.engine == cluster.Postgres { // the reload is the server's own affair: wait until it has happened
			r.untilPlain(ctx, t)
		}
	})
}

// untilPlain waits until PostgreSQL shows no certificate any more.
func (r *rig) untilPlain(ctx context.Context, t *testing.T) {
	t.Helper()
	for {
		var ssl, file string
		err := r.db.QueryRowContext(ctx, "SELECT current_setting('ssl'), current_setting('ssl_cert_file')").Scan(&ssl, &file)
		if err == nil && ssl == "off" && !filepath.IsAbs(file) {
			return
		}
		select {
		case <-time.After(pace):
		case <-ctx.Done():
			t.Errorf("PostgreSQL still has ssl %s with %s: %v", ssl, file, err)
			return
		}
	}
}

// natsCertificate: the same with NATS, without which the board works.
func natsCertificate(t *testing.T, r *rig) {
	t.Helper()
	ca := testkit.NewAuthority(t, "Authority of a test")
	at, words := expiry(time.Now().Add(-time.Hour))
	secured := func(name string, until time.Time) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{ca.IssueFor(longAgo(), until, name)}, MinVersion: tls.VersionTLS12}
	}
	opts := &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: folder(t), NoSigs: true, TLSConfig: secured(thisMachine, at), TLSTimeout: patience.Seconds()}
	nats := serve(t, opts)
	port := portOf(t, nats.Addr().String())
	s := r.one(t, "secure-nats", programs.tasks, "NATS_URL=nats://"+thisMachine+":"+port, "NATS_CA_FILE="+ca.File())
	s.says(t, http.StatusOK, "nats", words)
	s.logs(t, words)
	if a := r.ask(t, request{at: s.addr, path: "/api/v1/projects/" + projectKey + "/tasks"}); !a.ok() {
		t.Errorf("the board does not work: %s", a)
	}
	show := func(name string, until time.Time) {
		next := opts.Clone()
		next.TLSConfig = secured(name, until)
		if err := nats.ReloadOptions(next); err != nil {
			t.Fatal(err)
		}
	}
	show(elsewhere, later())
	s.says(t, http.StatusOK, "nats", "is for another host name")
	show(thisMachine, later())
	until(t, "it connects", func() error { return r.healthy(t, s.addr, "nats") })
}
