package workload

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// board answers every request on settings with the same project, and every one on a view with that view.
type board struct {
	mu       sync.Mutex
	requests []string // method, path, If-Match and body of each
}

const boardAnswer = `{"id":"p","version":9,"name":"n","states":[{"id":"s1"},{"id":"s2"},{"id":"own"},{"id":"old","archived":true}],"labels":[{"id":"l"}],"members":[]}`

func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = append(b.requests, strings.TrimSpace(strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("If-Match"), string(body)}, " ")))
	switch {
	case r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/views/"):
		w.WriteHeader(http.StatusNoContent)
	case strings.Contains(r.URL.Path, "/views"):
		io.WriteString(w, `{"id":"v","version":4}`) //nolint:errcheck // the test sees what arrives
	default:
		io.WriteString(w, boardAnswer) //nolint:errcheck // likewise
	}
}

func (b *board) last() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requests[len(b.requests)-1]
}

// TestSettling has a client change settings until it has done everything, and demands that each request asks for what the
// ledger says, and that answers are in it.
func TestSettling(t *testing.T) {
	t.Parallel()
	_, c, _ := setup(t, "200 {}")
	b := &board{}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	c.base = server.URL
	at := &place{index: map[string]int{}, states: []string{"s1", "s2"}, people: []string{"ada"}}
	if err := json.Unmarshal([]byte(boardAnswer), &at.set); err != nil {
		t.Fatal(err)
	}
	l := &Load{}
	done := map[ledger.Kind]int{}
	guarded := false
	for range 600 {
		op := l.settle(context.Background(), c, "DRA", at)
		at.learn(op)
		done[op.Kind]++
		sent := b.last()
		if op.Outcome != ledger.Acknowledged || len(op.Tasks) > 0 {
			t.Fatalf("%+v", op)
		}
		if op.Kind.OfSettings() && (op.Settings == nil || op.Settings.Version != 9) || op.Kind.OfViews() && op.Kind != ledger.RemoveView && (op.View == nil || op.View.ID != "v" || op.Part != "v") {
			t.Errorf("%s without its answer: %+v", op.Kind, op)
		}
		for _, want := range []string{op.Part, op.Asked.Name, op.Asked.Category, op.Asked.Color, op.Asked.Role} {
			if op.Kind != ledger.AddView && !strings.Contains(sent, want) {
				t.Errorf("%s of %q sent %s", op.Kind, want, sent)
			}
		}
		switch op.Kind {
		case ledger.ArchiveState:
			if op.Part != "own" {
				t.Errorf("archives %s", op.Part)
			}
		case ledger.AddView, ledger.ReplaceView:
			if !strings.Contains(sent, op.Asked.View.Name) {
				t.Errorf("%+v sent as %s", op.Asked.View, sent)
			}
			guarded = guarded || op.Asked.IfVersion == 4 && strings.Contains(sent, `"4"`)
		}
	}
	for _, kind := range []ledger.Kind{
		ledger.AddState, ledger.ChangeState, ledger.ArchiveState, ledger.AddLabel, ledger.ChangeLabel, ledger.RemoveLabel, ledger.SetMember,
		ledger.RemoveMember, ledger.ReadProject, ledger.AddView, ledger.ReplaceView, ledger.RemoveView,
	} {
		if done[kind] == 0 {
			t.Errorf("no %q among %v", kind, done)
		}
	}
	if !guarded {
		t.Error("no view was replaced under its version")
	}
}

// TestSettingsAreRemembered demands that clients work with the newest settings anybody has seen, and that what a stale answer
// about a project shows is not taken for a task.
func TestSettingsAreRemembered(t *testing.T) {
	t.Parallel()
	at := &place{index: map[string]int{}, set: ledger.Settings{Version: 3}}
	for version, want := range map[int64]int64{2: 3, 3: 3} {
		if at.learn(ledger.Op{Settings: &ledger.Settings{Version: version}}); at.set.Version != want {
			t.Errorf("version %d became %d", version, at.set.Version)
		}
	}
	if at.learn(ledger.Op{Settings: &ledger.Settings{Version: 5}}); at.set.Version != 5 {
		t.Errorf("version 5 became %d", at.set.Version)
	}
	_, c, _ := setup(t, `412 {"current":{"id":"v","version":7}}`)
	at.views = []viewed{{"v", 4}}
	op := c.replaceView(context.Background(), "DRA", "/api/v1/projects/DRA/views", at, at.views[0])
	if at.learn(op); op.Outcome != ledger.Refused || op.Current != nil || len(at.tasks) > 0 || slices.Contains(at.views, viewed{"v", 4}) {
		t.Errorf("%+v; knows %v and %v", op, at.tasks, at.views)
	}
}

// TestInvitation demands that those who shall become members are added before the projects.
func TestInvitation(t *testing.T) {
	t.Parallel()
	s, c, _ := setup(t, `201 {"id":"somebody"}`)
	l := &Load{cfg: Config{URL: c.base}, http: c.http}
	ids, err := l.invite(context.Background())
	if err != nil || len(ids) != persons || ids[0] != "somebody" || len(s.requests) != persons || s.requests[0].URL.Path != "/api/v1/people" {
		t.Errorf("%v, %v after %d requests", ids, err, len(s.requests))
	}
	_, c, _ = setup(t, `409 {"code":"conflict"}`)
	l.cfg.URL = c.base
	if _, err := l.invite(context.Background()); err == nil {
		t.Error("goes on without people")
	}
}
