package store_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/storetest"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConformance runs the suite on every engine, as the user and with the rights that a
// deployment gives the service.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			storetest.Exercise(t, func(t testing.TB) store.Store {
				t.Helper()
				return open(t, provision(t, engine.Open(t)))
			})
		})
	}
}

// TestNoDatabase: a store opens while its database is away, and every call says so, with a time to try again.
func TestNoDatabase(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"mysql://nobody:x@127.0.0.1:1/none", "postgres://nobody:x@127.0.0.1:1/none"} {
		s := open(t, url)
		_, get := s.Task(t.Context(), task.Ref{Key: "WEB", Number: 1})
		_, list := s.ListTasks(t.Context(), task.Query{ProjectID: [16]byte{1}})
		_, _, change := s.UpdateTask(t.Context(), task.Write{}, task.Ref{ID: [16]byte{1}}, nil)
		_, projects := s.Projects(t.Context(), false)
		_, _, assign := s.Assign(t.Context(), 0, 1, 1)
		create := s.CreateTasks(t.Context(), "WEB", make([]task.Draft, 2))
		for what, err := range map[string]error{"ping": s.Ping(t.Context()), "get": get, "list": list, "change": change,
			"projects": projects, "assign": assign, "create": create[1].Err} {
			e, ok := apperr.As(err)
			if !ok || e.Code != apperr.Unavailable || e.RetryAfter <= 0 {
				t.Errorf("%s without a database: %v", what, err)
			}
		}
	}
}

// open opens a store, which is closed when the test ends.
func open(t testing.TB, url string) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), db.Config{URL: url}, nil)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}
