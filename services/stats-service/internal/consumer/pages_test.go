package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// history is a store of which only the order of calls matters. Hooks are called without its lock.
type history struct {
	Store
	head    int64
	onRead  func(ctx context.Context, after int64) error
	onApply func(first int64) error

	mu     sync.Mutex
	cursor int64
	reads  []int64 // positions behind which was read
	began  chan int64
}

func newHistory() *history {
	const head = 93
	return &history{
		head: head, began: make(chan int64, head+1),
		onRead: func(context.Context, int64) error { return nil }, onApply: func(int64) error { return nil },
	}
}

func (h *history) set(cursor int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cursor = cursor
}

func (h *history) Cursor(context.Context) (stats.Cursor, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return stats.Cursor{Generation: 1, Pos: h.cursor}, nil
}

func (h *history) Head(context.Context) (int64, error) { return h.head, nil }

func (h *history) Events(ctx context.Context, after, until int64, limit int) ([]stats.Event, error) {
	h.mu.Lock()
	h.reads = append(h.reads, after)
	h.mu.Unlock()
	h.began <- after
	if err := h.onRead(ctx, after); err != nil {
		return nil, err
	}
	var out []stats.Event
	for pos := after + 1; pos <= min(until, after+int64(limit)); pos++ {
		out = append(out, stats.Event{Pos: pos, Occurred: time.Now(), Recorded: time.Now()})
	}
	return out, nil
}

func (h *history) Apply(_ context.Context, _ int64, events []stats.Event) (stats.Applied, error) {
	if err := h.onApply(events[0].Pos); err != nil {
		return stats.Applied{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if events[0].Pos > h.cursor+1 {
		return stats.Applied{}, fmt.Errorf("%w: %d behind %d", stats.ErrGap, events[0].Pos, h.cursor)
	}
	out := stats.Applied{Generation: 1, From: h.cursor, To: max(h.cursor, events[len(events)-1].Pos)}
	h.cursor = out.To
	return out, nil
}

func (h *history) applier(t *testing.T) *applier {
	t.Helper()
	c, err := New(Config{BatchSize: 5}, h, nil, noBus{}, telemetry.Nop(), func(map[uuid.UUID]int64) {})
	if err != nil {
		t.Fatal(err)
	}
	return &applier{Consumer: c, epoch: 1}
}

// caughtUp expects a look at the database to end at the head.
func (h *history) caughtUp(t *testing.T, a *applier) {
	t.Helper()
	if owed, err := a.catchUp(t.Context(), nothingOwed); err != nil || owed != nothingOwed {
		t.Fatalf("catchUp: owed %d, %v", owed, err)
	}
	if h.cursor != h.head || a.cursor != h.head {
		t.Errorf("the cursor is at %d, for the applier at %d; wanted %d", h.cursor, a.cursor, h.head)
	}
}

// TestPagesAreReadWhileTheLastOneIsApplied lets each transaction wait until the next page is being read.
func TestPagesAreReadWhileTheLastOneIsApplied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // which ends a test that waits for ever
		h := newHistory()
		want := []int64{0, 5, 15, 35, 55, 75} // pages of 5, 10, 20 at most, and a rest
		h.onApply = func(first int64) error {
			for i := slices.Index(want, first-1) + 1; i < len(want); {
				if <-h.began == want[i] {
					break
				}
			}
			return nil
		}
		h.caughtUp(t, h.applier(t))
		if !slices.Equal(h.reads, want) {
			t.Errorf("read behind %v, wanted %v", h.reads, want)
		}
	})
}

// TestCursorMovesUnderPages puts a rebuild's cursor in place while a page is under way: one behind it, one within the next
// page and one far ahead.
func TestCursorMovesUnderPages(t *testing.T) {
	t.Parallel()
	for _, to := range []int64{3, 50, 71, 93} {
		t.Run(fmt.Sprint(to), func(t *testing.T) {
			t.Parallel()
			h := newHistory()
			once := sync.Once{}
			h.onApply = func(first int64) error {
				if first == 36 {
					once.Do(func() { h.set(to) })
				}
				return nil
			}
			h.caughtUp(t, h.applier(t))
		})
	}
}

// TestPageThatCannotBeRead fails once in the middle; what was applied stays, and the next look goes on from there.
func TestPageThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h, failure := newHistory(), errors.New("the connection broke")
	failed := false
	h.onRead = func(_ context.Context, after int64) error {
		if after == 35 && !failed {
			failed = true
			return failure
		}
		return nil
	}
	a := h.applier(t)
	if _, err := a.catchUp(t.Context(), nothingOwed); !errors.Is(err, failure) {
		t.Fatalf("catchUp: %v, wanted %v", err, failure)
	}
	if h.cursor != 35 {
		t.Errorf("the cursor is at %d, wanted 35", h.cursor)
	}
	h.caughtUp(t, a)
}

// TestPageThatCannotBeApplied ends the reading of the next one, and waits for its end.
func TestPageThatCannotBeApplied(t *testing.T) {
	t.Parallel()
	h, failure := newHistory(), errors.New("lost the lock race")
	ended := false
	h.onRead = func(ctx context.Context, after int64) error {
		if after == 35 && !ended {
			<-ctx.Done()
			ended = true
			return ctx.Err()
		}
		return nil
	}
	h.onApply = func(first int64) error {
		if first == 16 && !ended {
			return failure
		}
		return nil
	}
	a := h.applier(t)
	if _, err := a.catchUp(t.Context(), nothingOwed); !errors.Is(err, failure) {
		t.Fatalf("catchUp: %v, wanted %v", err, failure)
	}
	if !ended {
		t.Error("the next page is still being read")
	}
	h.caughtUp(t, a)
}

func TestPageSize(t *testing.T) {
	t.Parallel()
	of := func(n, bytes int) []stats.Event {
		events := make([]stats.Event, n)
		for i := range events {
			events[i].Changes = []stats.Change{{Field: "description", After: make([]byte, bytes/n)}}
		}
		return events
	}
	for _, c := range []struct {
		name                 string
		size, n, bytes, want int
	}{
		{"small pages grow", 500, 500, 500 * 300, 1000},
		{"up to four times the batch", 2000, 2000, 2000 * 300, 2000},
		{"large pages shrink at once", 2000, 2000, pageBytes * 16, 125},
		{"below the batch", 500, 500, pageBytes * 20, 25},
		{"to one event", 1, 1, pageBytes * 2, 1},
		{"and grow again", 25, 25, 25 * 300, 50},
	} {
		if got := pageSize(c.size, 500, of(c.n, c.bytes)); got != c.want {
			t.Errorf("%s: %d behind a page of %d, wanted %d", c.name, got, c.size, c.want)
		}
	}
}
