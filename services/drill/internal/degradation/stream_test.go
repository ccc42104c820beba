package degradation

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// streamName is where the services keep events.
const streamName = "TASKS"

// streamWiped: nobody notices, consumers go on from the table of events.
func streamWiped(t *testing.T, r *rig) {
	t.Helper()
	r.must(t, 3)
	nc, err := r.NATS[0].Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := js.DeleteStream(ctx, streamName); err != nil {
		t.Fatal(err)
	}
	r.must(t, 5)
	r.settle(t)
	r.must(t, 5) // and again on the stream that was made anew
}

// streamRestored: the stream forgets what it has delivered, and its numbers begin again where they were.
func streamRestored(t *testing.T, r *rig) {
	t.Helper()
	r.must(t, 3)
	r.settle(t)
	store := r.NATS[0].Store
	copied := filepath.Join(folder(t), "store")
	if err := r.StopNATS(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(copied, os.DirFS(store)); err != nil {
		t.Fatal(err)
	}
	r.await(t, r.StartNATS)
	r.must(t, 5)
	r.settle(t)
	if err := r.StopNATS(); err != nil {
		t.Fatal(err)
	}
	r.must(t, 2)
	if err := os.RemoveAll(store); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(store, os.DirFS(copied)); err != nil {
		t.Fatal(err)
	}
	r.await(t, r.StartNATS)
	r.must(t, 5)
}
