package live_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/live"
)

// Whatever NATS leaves out, repeats or reorders, whichever part is away for a while and however slowly somebody reads:
// each subscriber sees each event of its project behind its position once, in order.
func TestEverySubscriberSeesEachEventOnceInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubble{t}, func(t *rapid.T) {
			cfg := config()
			cfg.WindowEvents = rapid.IntRange(1, 12).Draw(t, "window")
			cfg.ReadBatch = rapid.IntRange(1, 6).Draw(t, "batch")
			cfg.MaxReads = 1
			store := &fakeStore{delay: time.Duration(rapid.IntRange(0, 20).Draw(t, "read ms")) * time.Millisecond}
			store.add(someProjects(t)...)
			r := start(t, cfg, store)
			time.Sleep(time.Second)
			ctx, cancel := context.WithCancel(context.Background())
			defer r.stop()
			defer cancel()
			w := &world{t: t, rig: r, ctx: ctx}
			t.Repeat(map[string]func(*rapid.T){
				"commit":    w.commit,
				"deliver":   w.deliver,
				"observe":   w.observe,
				"subscribe": w.subscribe,
				"leave":     w.leave,
				"bus":       func(t *rapid.T) { r.bus.setAway(rapid.Bool().Draw(t, "away")) },
				"store":     func(t *rapid.T) { store.setAway(rapid.Bool().Draw(t, "away")) },
				"time":      func(t *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(0, 700).Draw(t, "ms")) * time.Millisecond) },
			})
			store.setAway(false)
			r.bus.setAway(false)
			time.Sleep(5 * time.Minute) // for the slowest reader
			synctest.Wait()
			w.check()
			cancel()
			for _, s := range w.readers {
				<-s.ended
				if !errors.Is(s.err, context.Canceled) && !errors.Is(s.err, live.ErrClosed) {
					t.Fatalf("reader ended with %v", s.err)
				}
			}
			if n := r.Subscribers(); n != 0 {
				t.Fatalf("%d subscribers are left", n)
			}
		})
	})
}

// bubble hides the test's deadline, which must not be asked for in a synctest bubble.
type bubble struct{ rapid.TB }

type world struct {
	t       *rapid.T
	rig     *rig
	ctx     context.Context //nolint:containedctx // lives as long as the world
	readers []*watcher
	late    []history.Event // not yet delivered
}

type watcher struct {
	*reader
	project uuid.UUID
	after   int64
	left    bool
}

func someProjects(t *rapid.T) []uuid.UUID {
	return rapid.SliceOfN(rapid.SampledFrom([]uuid.UUID{web, ops}), 1, 8).Draw(t, "projects")
}

func (w *world) commit(t *rapid.T) { w.late = append(w.late, w.rig.store.add(someProjects(t)...)...) }

// pick takes some of the late events, some of them twice, some never, in any order.
func (w *world) pick(t *rapid.T) []history.Event {
	if len(w.late) == 0 {
		return nil
	}
	picked := rapid.SliceOfN(rapid.SampledFrom(w.late), 1, 2*len(w.late)).Draw(t, "picked")
	if rapid.Bool().Draw(t, "in order") {
		slices.SortFunc(picked, func(a, b history.Event) int { return int(a.Pos - b.Pos) })
	}
	if rapid.Bool().Draw(t, "forget the rest") {
		w.late = nil
	}
	return picked
}

func (w *world) deliver(t *rapid.T) {
	if picked := w.pick(t); picked != nil {
		w.rig.bus.deliver(t, picked...)
	}
}

func (w *world) observe(t *rapid.T) {
	if picked := w.pick(t); picked != nil {
		w.rig.Observe(picked)
	}
}

func (w *world) subscribe(t *rapid.T) {
	last := int64(len(w.rig.store.events))
	after := rapid.Int64Range(0, last).Draw(t, "after")
	project := rapid.SampledFrom([]uuid.UUID{web, ops}).Draw(t, "project")
	sub, err := w.rig.Subscribe(w.ctx, project, after)
	if err != nil { // the database is away
		return
	}
	pause := time.Duration(rapid.SampledFrom([]int{0, 0, 3, 400}).Draw(t, "pause ms")) * time.Millisecond
	w.readers = append(w.readers, &watcher{reader: read(w.ctx, sub, pause), project: project, after: after})
}

func (w *world) leave(t *rapid.T) {
	if len(w.readers) > 0 {
		s := rapid.SampledFrom(w.readers).Draw(t, "who")
		s.left = true
		s.sub.Close()
	}
}

func (w *world) check() {
	for _, s := range w.readers {
		var want []int64
		for _, e := range w.rig.store.events {
			if e.ProjectID == s.project && e.Pos > s.after {
				want = append(want, e.Pos)
			}
		}
		got := s.positions()
		if s.left && len(got) <= len(want) { // until it left
			want = want[:len(got)]
		}
		if !slices.Equal(got, want) {
			w.t.Fatalf("subscriber behind %d got %v, want %v", s.after, got, want)
		}
	}
}
