package certs_test

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/certs"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// handshake connects a client of this configuration to a server that shows a certificate.
func handshake(t *testing.T, shown tls.Certificate, client *tls.Config) error {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{shown}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		conn.Read(make([]byte, 1)) //nolint:errcheck // shakes hands; the client tells how it went
		conn.Close()               //nolint:errcheck // nothing is left to lose
	}()
	defer func() {
		listener.Close() //nolint:errcheck // nothing is left to lose
		<-done
	}()
	conn, err := (&tls.Dialer{Config: client}).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	return conn.Close()
}

func TestProblemsAreToldInWords(t *testing.T) {
	t.Parallel()
	authority, other := testkit.NewAuthority(t, "ours"), testkit.NewAuthority(t, "theirs")
	client, err := certs.Config(authority.File(), "db.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := handshake(t, authority.Issue("db.example"), client); err != nil {
		t.Fatalf("a good certificate: %v", err)
	}
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		shown tls.Certificate
		want  []string
	}{
		"expired":              {authority.IssueFor(past.Add(-time.Hour), past, "db.example"), []string{"(CN=db.example) expired at", past.UTC().Format(time.DateOnly)}},
		"of tomorrow":          {authority.IssueFor(future, future.Add(time.Hour), "db.example"), []string{"is not valid before", future.UTC().Format(time.DateOnly)}},
		"for another host":     {authority.Issue("cache.example"), []string{"(CN=cache.example) is for another host name"}},
		"of another authority": {other.Issue("db.example"), []string{"signed by an authority that is not trusted"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := handshake(t, c.shown, client)
			problem, is := certs.Problem(err)
			if !is || strings.Contains(problem, "x509") {
				t.Errorf("%v: %q, %v", err, problem, is)
			}
			for _, part := range c.want {
				if !strings.Contains(problem, part) {
					t.Errorf("%q is not in %q", part, problem)
				}
			}
		})
	}
	for _, err := range []error{nil, errors.New("x509: certificate has expired"), net.ErrClosed} {
		if problem, is := certs.Problem(err); is {
			t.Errorf("%v is no problem of a certificate: %q", err, problem)
		}
	}
}

func TestFilesMustHoldAuthorities(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"/nonexistent.pem", os.DevNull} {
		if _, err := certs.Config(file, "db.example"); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
