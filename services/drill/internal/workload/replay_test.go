package workload

import (
	"bufio"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// closer is a server that keeps connections, and closes one of them when its second request has arrived, as one that
// regards it as idle does. It answers all other requests with the same.
type closer struct {
	answer string

	mu       sync.Mutex
	requests []*http.Request
	open     []net.Conn
}

func (s *closer) serve(t *testing.T) (url string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		for _, c := range s.open {
			_ = c.Close() // most are closed already
		}
		s.mu.Unlock()
		served.Wait()
	})
	served.Go(func() {
		for n := 0; ; n++ {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open = append(s.open, c)
			s.mu.Unlock()
			served.Go(func() { s.connection(c, n == 0) })
		}
	})
	return "http://" + listener.Addr().String()
}

// connection answers the requests of one connection; closes says that it breaks off at the second one.
func (s *closer) connection(c net.Conn, closes bool) {
	defer c.Close() //nolint:errcheck // the client sees it
	in := bufio.NewReader(c)
	for n := 1; ; n++ {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		if closes && n == 2 {
			return
		}
		if _, err := io.WriteString(c, s.answer); err != nil {
			return
		}
	}
}

// TestEveryAttemptIsInTheLedger demands that no request reaches a server that the ledger does not count, when a connection
// breaks under it: neither one without a body, which the transport would like to send again by itself, nor one with.
func TestEveryAttemptIsInTheLedger(t *testing.T) {
	t.Parallel()
	task := seen{id: "a", version: 1}
	for name, c := range map[string]struct {
		status  string
		call    func(*caller) ledger.Op
		outcome ledger.Outcome
	}{
		"a removal":             {"204 No Content", func(c *caller) ledger.Op { return c.removeComment(context.Background(), "DRA", remark{"a", "b"}) }, ledger.Acknowledged},
		"a removal, done twice": {"404 Not Found", func(c *caller) ledger.Op { return c.removeComment(context.Background(), "DRA", remark{"a", "b"}) }, ledger.Unknown},
		"a relation": {"204 No Content", func(c *caller) ledger.Op {
			return c.link(context.Background(), ledger.Relate, http.MethodPut, "DRA", linked{"blocks", "a", "b"})
		}, ledger.Acknowledged},
		"a restoration":       {"200 OK", func(c *caller) ledger.Op { return c.restore(context.Background(), "DRA", task) }, ledger.Acknowledged},
		"a trip to the trash": {"200 OK", func(c *caller) ledger.Op { return c.trash(context.Background(), "DRA", task) }, ledger.Acknowledged},
		"a new task":          {"200 OK", func(c *caller) ledger.Op { return c.create(context.Background(), "DRA", nil, ledger.Asked{}) }, ledger.Acknowledged},
		"a read":              {"200 OK", func(c *caller) ledger.Op { return c.read(context.Background(), "DRA", task) }, ledger.Acknowledged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"id":"a","version":2}`
			s := &closer{answer: "HTTP/1.1 " + c.status + "\r\nContent-Length: 22\r\nContent-Type: application/json\r\n\r\n" + body}
			if c.status == "204 No Content" {
				s.answer = "HTTP/1.1 " + c.status + "\r\n\r\n"
			}
			url := s.serve(t)
			log, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"))
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Transport: &http.Transport{}}
			t.Cleanup(client.CloseIdleConnections)
			var told []Attempt
			began := time.Now()
			caller := &caller{http: client, base: url, log: log, since: func() time.Duration { return time.Since(began) }, number: 1,
				random: rand.New(rand.NewPCG(1, 1)), observe: func(a Attempt) { told = append(told, a) }}
			first, op := c.call(caller), c.call(caller) // the second one meets the connection that breaks
			s.mu.Lock()
			defer s.mu.Unlock()
			if op.Outcome != c.outcome || first.Attempts+op.Attempts != len(s.requests) || len(s.requests) != 3 {
				t.Errorf("%s after %d and %d attempts, the server got %d requests", op.Outcome, first.Attempts, op.Attempts, len(s.requests))
			}
			if len(told) != len(s.requests) || !told[1].Failed || told[1].End > told[2].Start {
				t.Errorf("told of %+v", told)
			}
			for i, r := range s.requests {
				if key := r.Header.Get("Idempotency-Key"); r.Method != http.MethodGet && key != map[bool]string{true: first.ID, false: op.ID}[i == 0] {
					t.Errorf("request %d has key %q", i, key)
				}
			}
		})
	}
}
