package workload

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script answers requests one after the other, and remembers them.
type script struct {
	mu       sync.Mutex
	answers  []string // "201 {...}"; "break" breaks the connection
	requests []*http.Request
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	io.Copy(io.Discard, r.Body) //nolint:errcheck // the script does not depend on it
	s.requests = append(s.requests, r)
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	if answer == "break" {
		panic(http.ErrAbortHandler)
	}
	status, body, _ := strings.Cut(answer, " ")
	w.WriteHeader(map[string]int{"200": 200, "201": 201, "409": 409, "412": 412, "429": 429, "500": 500, "503": 503}[status])
	io.WriteString(w, body) //nolint:errcheck // the test sees what arrives
}

func setup(t *testing.T, answers ...string) (*script, *caller, *ledger.Log) {
	t.Helper()
	s := &script{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	log, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	began := time.Now()
	return s, &caller{http: client, base: server.URL, log: log, since: func() time.Duration { return time.Since(began) }, number: 1, random: rand.New(rand.NewPCG(1, 1))}, log
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	const made = `201 {"id":"a","version":1}`
	for name, c := range map[string]struct {
		answers  []string
		leaves   bool
		outcome  ledger.Outcome
		attempts int
	}{
		"done at once":                         {[]string{made}, false, ledger.Acknowledged, 1},
		"done at the second attempt":           {[]string{"503 away", made}, false, ledger.Acknowledged, 2},
		"done after a break":                   {[]string{"break", made}, false, ledger.Acknowledged, 2},
		"done after a broken answer":           {[]string{"201 {", made}, false, ledger.Acknowledged, 2},
		"refused":                              {[]string{"409 no"}, false, ledger.Refused, 1},
		"refused when it was not busy":         {[]string{"429 busy", "409 no"}, false, ledger.Refused, 2},
		"refused after an attempt in doubt":    {[]string{"500 oops", "409 no"}, false, ledger.Unknown, 2},
		"left in doubt":                        {[]string{"500 oops"}, true, ledger.Unknown, 1},
		"not left when it is certainly undone": {[]string{"429 busy", made}, true, ledger.Acknowledged, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client, log := setup(t, c.answers...)
			if c.leaves {
				client.walksAway = 1
			}
			op := client.create(context.Background(), "DRA", nil, ledger.Asked{})
			if op.Outcome != c.outcome || op.Attempts != c.attempts {
				t.Errorf("%s after %d attempts, want %s after %d", op.Outcome, op.Attempts, c.outcome, c.attempts)
			}
			for _, r := range s.requests {
				if r.Header.Get("Idempotency-Key") != op.ID || !strings.Contains(r.Header.Get("Traceparent"), op.Trace) {
					t.Errorf("an attempt with key %q and trace %q", r.Header.Get("Idempotency-Key"), r.Header.Get("Traceparent"))
				}
			}
			if ops, err := log.Ops(); err != nil || log.Count(c.outcome) != 1 || len(ops) != 1 {
				t.Errorf("the ledger has %v, %v", ops, err)
			}
		})
	}
}

func TestAStaleAnswerShowsTheTask(t *testing.T) {
	t.Parallel()
	_, client, _ := setup(t, `412 {"current":{"id":"a","version":7}}`)
	op := client.update(context.Background(), "DRA", seen{id: "a", version: 6}, "s", nil)
	if op.Outcome != ledger.Refused || op.Current == nil || op.Current.Version != 7 {
		t.Errorf("%+v", op)
	}
	at := &place{index: map[string]int{}}
	at.learn(op)
	if at.tasks[0].version != 7 {
		t.Errorf("learnt %+v", at.tasks)
	}
}

func TestTheLedgerIsWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger")
	log, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := ledger.Op{ID: "c1-1", Kind: ledger.Create, Outcome: ledger.Acknowledged, Start: 1, End: 2}
	log.Add(want)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := ledger.Load(path)
	if err != nil || len(got) != 1 || got[0].ID != want.ID || got[0].End != want.End {
		t.Errorf("%+v: %v", got, err)
	}
}

func TestOddAnswersAreRecorded(t *testing.T) {
	t.Parallel()
	const problem = `{"code":"unavailable","detail":"the database is not available"}`
	for name, c := range map[string]struct {
		status            int
		kind, after, body string
		odd               bool
	}{
		"patience":             {503, "application/problem+json", "1", problem, false},
		"patience without end": {503, "application/problem+json", "", problem, true},
		"too late":             {504, "application/problem+json", "", problem, false},
		"a page":               {503, "text/html", "1", "<h1>503</h1>", true},
		"no reason":            {409, "application/problem+json", "", "{}", true},
		"a blunder":            {500, "application/problem+json", "1", problem, true},
		"fine":                 {200, "text/plain", "", "", false},
	} {
		res := &http.Response{StatusCode: c.status, Status: name, Header: http.Header{"Content-Type": {c.kind}}}
		if c.after != "" {
			res.Header.Set("Retry-After", c.after)
		}
		if got := oddity(res, []byte(c.body)); (got != "") != c.odd {
			t.Errorf("%s: %q", name, got)
		}
	}
}
