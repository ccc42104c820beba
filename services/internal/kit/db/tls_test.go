package db

import (
	"crypto/tls"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// secured puts TLS in front of a PostgreSQL server that has none, with a certificate that can be exchanged.
type secured struct {
	url  string
	mu   sync.Mutex
	cert tls.Certificate
}

func (s *secured) show(c tls.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cert = c
}

func (s *secured) shown(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.cert, nil
}

func startSecured(t *testing.T, cert tls.Certificate) *secured {
	t.Helper()
	behind, err := url.Parse(testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &secured{cert: cert}
	front := *behind
	front.Host, front.RawQuery = listener.Addr().String(), ""
	s.url = front.String()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(client, behind.Host) })
		}
	})
	t.Cleanup(func() {
		listener.Close() //nolint:errcheck // nothing is left to lose
		running.Wait()
	})
	return s
}

// serve answers PostgreSQL's request for TLS and passes on what comes through it.
func (s *secured) serve(client net.Conn, to string) {
	defer client.Close() //nolint:errcheck // the other side sees the end either way
	request := make([]byte, 8)
	if _, err := io.ReadFull(client, request); err != nil {
		return
	}
	if _, err := client.Write([]byte("S")); err != nil {
		return
	}
	inside := tls.Server(client, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.shown})
	if err := inside.Handshake(); err != nil {
		return
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		io.Copy(server, inside) //nolint:errcheck // the end of either side is the end
		server.Close()          //nolint:errcheck // likewise
	})
	both.Go(func() {
		io.Copy(inside, server) //nolint:errcheck // likewise
		inside.Close()          //nolint:errcheck // likewise
	})
	both.Wait()
}

// exchange replaces a file as a deployment does: at once.
func exchange(t *testing.T, file string, content []byte) {
	t.Helper()
	next := filepath.Join(filepath.Dir(file), "next")
	if err := os.WriteFile(next, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, file); err != nil {
		t.Fatal(err)
	}
}

func TestAuthoritiesAreExchangedWhileRunning(t *testing.T) {
	t.Parallel()
	first, second := testkit.NewAuthority(t, "first"), testkit.NewAuthority(t, "second")
	s := startSecured(t, first.Issue("127.0.0.1"))
	file := first.File()
	h := open(t, Config{URL: s.url, CAFile: file}, Options{})
	h.must(t, "SELECT 1")
	if h.pg.Config().ConnConfig.TLSConfig.InsecureSkipVerify {
		t.Error("certificates are not verified")
	}
	s.show(second.Issue("127.0.0.1"))
	h.pg.Reset() // as age would do
	expect := func(what string) {
		t.Helper()
		err := h.exec(t.Context(), "SELECT 1")
		if !apperr.Is(Classify(err), apperr.Unavailable) || !strings.Contains(Reason(err), what) {
			t.Errorf("want a reason with %q: %q, of %v", what, Reason(err), err)
		}
	}
	expect("not trusted")
	exchange(t, file, append(first.PEM(), second.PEM()...))
	h.must(t, "SELECT 1")

	s.show(second.IssueFor(time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour), "127.0.0.1"))
	h.pg.Reset()
	expect("expired")
	s.show(second.Issue("db.example"))
	expect("another host name")
	exchange(t, file, []byte("this is no certificate"))
	err := h.exec(t.Context(), "SELECT 1")
	if !apperr.Is(Classify(err), apperr.Unavailable) || !strings.Contains(err.Error(), "DATABASE_CA_FILE") {
		t.Errorf("a file that is none: %v", err)
	}
	exchange(t, file, second.PEM())
	s.show(second.Issue("127.0.0.1"))
	h.must(t, "SELECT 1")
}

func TestServersOfUnknownAuthoritiesAreRefused(t *testing.T) {
	t.Parallel()
	file := testkit.NewAuthority(t, "nobody's").File()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url, CAFile: file}, Options{}) // a CAFile outweighs what the URL says
		err := h.exec(t.Context(), "SELECT 1")
		if !apperr.Is(Classify(err), apperr.Unavailable) || Reason(err) == "" {
			t.Errorf("want a reason: %q, of %v", Reason(err), err)
		}
	})
}

// A URL may name several hosts, which are tried in turn: all of them with TLS, each by its own name.
func TestFurtherHostsAreKeptAndVerified(t *testing.T) {
	t.Parallel()
	authority := testkit.NewAuthority(t, "ours")
	s := startSecured(t, authority.Issue("localhost"))
	at, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"", "?sslmode=disable"} {
		two := *at
		two.Host = "127.0.0.1:1,localhost:" + at.Port() // nobody listens at the first
		h := open(t, Config{URL: two.String() + mode, CAFile: authority.File()}, Options{})
		h.must(t, "SELECT 1")
		others := h.pg.Config().ConnConfig.Fallbacks
		if len(others) != 1 || others[0].TLSConfig == nil || others[0].TLSConfig.InsecureSkipVerify {
			t.Errorf("with %q the further hosts are %+v", mode, others)
		}
	}
	wrong := *at
	wrong.Host = "localhost:1,127.0.0.1:" + at.Port() // where the certificate is of the first one's name
	h := open(t, Config{URL: wrong.String(), CAFile: authority.File()}, Options{})
	if err := h.exec(t.Context(), "SELECT 1"); !strings.Contains(Reason(err), "another host name") {
		t.Errorf("want a reason: %q, of %v", Reason(err), err)
	}
}
