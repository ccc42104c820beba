package store_test

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConformance runs the suite on every engine. Each test has a database of its own.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			storetest.Exercise(t, func(t testing.TB) store.Store { return open(t, engine.Open(t)) })
		})
	}
}

// open migrates a database and opens a store on it.
func open(t testing.TB, url string) store.Store {
	t.Helper()
	if err := store.Migrate(t.Context(), url, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatalf("migrate: %v", err)
	}
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
