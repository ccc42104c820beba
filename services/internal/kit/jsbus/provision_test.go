package jsbus

import (
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

func TestProvisionMakesAndUpdatesWhatServicesUse(t *testing.T) {
	t.Parallel()
	url := testkit.NATS(t)
	admin := connect(t, url, nil)
	until(t, "the connection", admin.Connected)
	if err := admin.Provision(t.Context(), "stats"); err != nil {
		t.Fatal(err)
	}
	again := connect(t, url, func(c *Config) { c.MaxAge, c.DuplicateWindow = time.Hour, time.Minute })
	until(t, "the second connection", again.Connected)
	for range 2 {
		if err := again.Provision(t.Context(), "stats"); err != nil {
			t.Fatal(err)
		}
	}
	stream, err := admin.js.Stream(t.Context(), "TASKS")
	if err != nil {
		t.Fatal(err)
	}
	cfg := stream.CachedInfo().Config
	if cfg.MaxAge != time.Hour || cfg.Duplicates != time.Minute {
		t.Errorf("the stream keeps %s with duplicates of %s", cfg.MaxAge, cfg.Duplicates)
	}
	if cfg.Metadata[managedBy] != "" {
		t.Error("the stream is marked as the services' own")
	}
	if _, err := stream.Consumer(t.Context(), "stats"); err != nil {
		t.Error(err)
	}

	for range 2 { // discarding nothing is fine
		if err := again.Discard(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := admin.js.Stream(t.Context(), "TASKS"); err == nil {
		t.Error("the stream is still there")
	}
}
