package degradation

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
	"github.com/tallyboard/tallyboard/services/drill/internal/proxy"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit/ports"
)

// single is one more replica beside a cluster's, which is told something else than these.
type single struct {
	*proc.Process

	r    *rig
	addr string
	log  string
}

// one starts a program as a further replica on the cluster's database. env comes last, so it wins.
func (r *rig) one(t *testing.T, name, program string, env ...string) *single {
	t.Helper()
	addr, err := ports.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.logs, "LOG_LEVEL=info", "OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "LISTEN=" + addr,
		"INSTANCE_ID=" + name, "DATABASE_URL=" + r.DB.URL("", r.DB.Addr(), ""), "NATS_URL=nats://" + r.NATS[0].Addr,
	}, env...)
	s := &single{proc.New(proc.Spec{Name: name, Path: program, Args: []string{"serve"}, Env: all, Dir: r.logs, Logs: r.logs}), r, addr, filepath.Join(r.logs, name+".log")}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Terminate(patience); err != nil {
			t.Error(err)
		}
	})
	return s
}

// gate is a way to a server of the test's own, at which connections are counted.
func gate(t *testing.T, name, target string) *proxy.Link {
	t.Helper()
	l, err := proxy.Listen(name, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// says waits until /health answers with the status, and says of a part what contains words; the process lives meanwhile.
func (s *single) says(t *testing.T, status int, part, words string) {
	t.Helper()
	until(t, fmt.Sprintf("%s says %d, and of %s %q", s.Name(), status, part, words), func() error {
		a := s.r.ask(t, request{at: s.addr, path: "/health"})
		var h health
		if a.err != nil || decode(a.body, &h) != nil {
			return fmt.Errorf("%s", a)
		}
		if _, detail, _ := h.check(part); a.status != status || !strings.Contains(detail, words) {
			return fmt.Errorf("%s", a)
		}
		return nil
	})
	if a := s.r.ask(t, request{at: s.addr, path: "/livez"}); !a.ok() {
		t.Errorf("%s is dead: %s", s.Name(), a)
	}
	if s.PID() == 0 {
		t.Errorf("%s has ended", s.Name())
	}
}

// logs waits until the log has words in one line, and none of the secrets.
func (s *single) logs(t *testing.T, words string, secrets ...string) {
	t.Helper()
	until(t, fmt.Sprintf("%s logs %q", s.Name(), words), func() error {
		if text := logged(t, s.log); !strings.Contains(text, words) {
			return fmt.Errorf("it says %s", text)
		}
		return nil
	})
	text := logged(t, s.log)
	a := s.r.ask(t, request{at: s.addr, path: "/health"})
	for _, secret := range secrets {
		if strings.Contains(text, secret) || strings.Contains(string(a.body), secret) {
			t.Errorf("%s tells a secret", s.Name())
		}
	}
}

// besieged sends requests for a while, and demands that no more than so many connections a second come of them.
func (s *single) besieged(t *testing.T, l *proxy.Link, path string, most int) {
	t.Helper()
	before, began, requests := l.Stats().Accepted, time.Now(), 0
	for ; time.Since(began) < pause; requests++ {
		a := s.r.ask(t, request{at: s.addr, path: path})
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
			t.Errorf("request %d: %s", requests, a)
			return
		}
	}
	fewTries(t, l, l.Stats().Accepted-before, time.Since(began), most)
}

// fewTries demands that within some time no more connections were tried than so many a second, and as many at its beginning.
func fewTries(t *testing.T, l *proxy.Link, tries int, within time.Duration, most int) {
	t.Helper()
	if allowed := most * (2 + int(within/time.Second)); tries > allowed {
		t.Errorf("%s: %d connections within %s, want %d a second at most", l.Name(), tries, within, most)
	}
}

func portOf(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
