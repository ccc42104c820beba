package jsbus

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// secureServer runs a NATS server whose certificate can be exchanged while it runs, on port, or a free one for 0.
type secureServer struct {
	*server.Server

	mu   sync.Mutex
	cert tls.Certificate
}

func (s *secureServer) show(c tls.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cert = c
}

func startSecure(t *testing.T, cert tls.Certificate, clients *x509.CertPool) *secureServer {
	t.Helper()
	s := &secureServer{cert: cert}
	options := &server.Options{
		ServerName: "secure", Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, TLSTimeout: 5,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				s.mu.Lock()
				defer s.mu.Unlock()
				return &s.cert, nil
			},
		},
	}
	if clients != nil {
		options.TLSConfig.ClientAuth, options.TLSConfig.ClientCAs = tls.RequireAndVerifyClientCert, clients
	}
	srv, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = srv
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return s
}

// url returns the server's address under a name of this machine.
func (s *secureServer) url(host string) string {
	return "nats://" + host + strings.TrimPrefix(s.Addr().String(), "127.0.0.1")
}

// logged connects and returns the bus and what it writes to its log.
func logged(t *testing.T, url, caFile string) (*Bus, func() string) {
	t.Helper()
	var mu sync.Mutex
	var text bytes.Buffer
	cfg := quick()
	cfg.URL, cfg.CAFile = url, caFile
	b, err := Connect(t.Context(), cfg, telemetry.Nop(), slog.New(slog.NewTextHandler(guarded{&mu, &text}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	closing(t, b)
	return b, func() string {
		mu.Lock()
		defer mu.Unlock()
		return text.String()
	}
}

type guarded struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (g guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.to.Write(p)
}

// unusable begins what the log says of a connection that cannot be made.
const unusable = "NATS cannot be used"

func TestAServerIsTrustedByItsAuthority(t *testing.T) {
	t.Parallel()
	authority := testkit.NewAuthority(t, "test authority")
	s := startSecure(t, authority.Issue("127.0.0.1"), nil)
	b, _ := logged(t, s.url("127.0.0.1"), authority.File())
	until(t, "a connection", b.Connected)
	state, err := b.nc.TLSConnectionState()
	if err != nil || state.Version < tls.VersionTLS12 || len(state.VerifiedChains) == 0 {
		t.Errorf("the connection is not verified: %+v, %v", state, err)
	}
	if b.Reason() != "" {
		t.Errorf("a connection has the reason %q", b.Reason())
	}
}

func TestServersThatAreNotTrusted(t *testing.T) {
	t.Parallel()
	authority, other := testkit.NewAuthority(t, "test authority"), testkit.NewAuthority(t, "another authority")
	ago := time.Now().Add(-48 * time.Hour)
	for name, c := range map[string]struct {
		cert    tls.Certificate
		clients *x509.CertPool
		host    string
		caFile  string
		reason  []string
	}{
		"of another authority": {
			cert: other.Issue("127.0.0.1"), caFile: authority.File(), reason: []string{"authority that is not trusted", "NATS_CA_FILE"},
		},
		"of an authority nobody named": {
			cert: authority.Issue("127.0.0.1"), reason: []string{"authority that is not trusted", "NATS_CA_FILE"},
		},
		"expired": {
			cert: authority.IssueFor(ago.Add(-time.Hour), ago, "127.0.0.1"), caFile: authority.File(),
			reason: []string{"expired", ago.UTC().Format("2006-01-02")},
		},
		"not valid yet": {
			cert:   authority.IssueFor(time.Now().Add(time.Hour), time.Now().Add(2*time.Hour), "127.0.0.1"),
			caFile: authority.File(), reason: []string{"not valid before"},
		},
		"for another host": {
			cert: authority.Issue("nats.example"), caFile: authority.File(), reason: []string{"another host name"},
		},
		"for the address and not the name": {
			cert: authority.Issue("127.0.0.1"), host: "localhost", caFile: authority.File(), reason: []string{"another host name"},
		},
		"that wants a certificate": {
			cert: authority.Issue("127.0.0.1"), clients: authority.Pool(), caFile: authority.File(), reason: []string{"refuses the TLS connection", "certificate required"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := c.host
			if host == "" {
				host = "127.0.0.1"
			}
			s := startSecure(t, c.cert, c.clients)
			b, log := logged(t, s.url(host), c.caFile)
			until(t, "a reason, told", func() bool { return b.Reason() != "" && strings.Contains(log(), unusable) }) // in this order
			for _, part := range c.reason {
				if !strings.Contains(b.Reason(), part) || !strings.Contains(log(), part) {
					t.Errorf("%q is neither in %q nor in %q", part, b.Reason(), log())
				}
			}
			if b.Connected() {
				t.Error("there is a connection")
			}
			if strings.Contains(b.Reason(), "x509") {
				t.Errorf("that is no sentence for people: %q", b.Reason())
			}
		})
	}
}

func TestTLSIsNotLeftOut(t *testing.T) {
	t.Parallel()
	plain := testkit.NATS(t)
	b, log := logged(t, plain, testkit.NewAuthority(t, "test authority").File())
	until(t, "a reason, told", func() bool {
		return strings.Contains(b.Reason(), "offers no TLS") && strings.Contains(log(), "offers no TLS")
	})
	if b.Connected() {
		t.Error("there is a connection")
	}
}

func TestCertificatesAndAuthoritiesAreRenewedWhileRunning(t *testing.T) {
	t.Parallel()
	first, second := testkit.NewAuthority(t, "first"), testkit.NewAuthority(t, "second")
	file := first.File()
	s := startSecure(t, first.Issue("127.0.0.1"), nil)
	b, log := logged(t, s.url("127.0.0.1"), file)
	until(t, "a connection", b.Connected)
	ago := time.Now().Add(-24 * time.Hour)
	s.show(first.IssueFor(ago.Add(-time.Hour), ago, "127.0.0.1"))
	if err := b.nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	until(t, "the expired certificate is noticed", func() bool { return strings.Contains(b.Reason(), "expired") })
	s.show(second.Issue("127.0.0.1"))
	until(t, "the new authority is noticed", func() bool { return strings.Contains(b.Reason(), "not trusted") })
	told := func() int { return strings.Count(log(), unusable) }
	until(t, "both reasons are told", func() bool { return told() >= 2 })
	replacement := filepath.Join(filepath.Dir(file), "new")
	if err := os.WriteFile(replacement, append(first.PEM(), second.PEM()...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(replacement, file); err != nil {
		t.Fatal(err)
	}
	until(t, "a connection again", b.Connected)
	if b.Reason() != "" {
		t.Errorf("the reason %q is left", b.Reason())
	}
	if n := told(); n != 2 {
		t.Errorf("each reason is said once, and there were %d lines: %s", n, log())
	}
}

func TestAnAuthoritiesFileMustBeOne(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"/nonexistent.pem", os.DevNull} {
		cfg := quick()
		cfg.CAFile = file
		b, err := Connect(t.Context(), cfg, telemetry.Nop(), slog.New(slog.DiscardHandler))
		if err == nil {
			closing(t, b)
		}
		if err == nil || !strings.Contains(err.Error(), "NATS_CA_FILE") {
			t.Errorf("%s: %v", file, err)
		}
	}
}
