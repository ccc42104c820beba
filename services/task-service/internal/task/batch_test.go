package task

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// fakeWriter commits for a second per transaction and remembers what it was given.
type fakeWriter struct {
	mu       sync.Mutex
	batches  [][]string
	running  int
	most     int
	fail     func(keys []string) error // of the transaction as a whole
	outcomes func(d Draft) error       // of one draft
}

func (f *fakeWriter) CreateTasks(_ context.Context, _ string, drafts []Draft) []Outcome {
	f.mu.Lock()
	f.running++
	f.most = max(f.most, f.running)
	keys := make([]string, len(drafts))
	for i, d := range drafts {
		keys[i] = d.Write.Key
	}
	f.batches = append(f.batches, keys)
	f.mu.Unlock()
	time.Sleep(time.Second) // of synctest's clock: no time passes
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
	out := make([]Outcome, len(drafts))
	var all error
	if f.fail != nil {
		all = f.fail(keys)
	}
	for i, d := range drafts {
		out[i] = Outcome{Task: &Task{Title: d.Write.Key}, Err: all}
		if all == nil && f.outcomes != nil {
			out[i].Err = f.outcomes(d)
		}
	}
	return out
}

func draft(key string) Draft { return Draft{Write: Write{Key: key}} }

// submitAll submits n drafts at once and returns their outcomes.
func submitAll(b *batcher, n int) []Outcome {
	out := make([]Outcome, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { out[i] = b.submit(context.Background(), "WEB", draft(fmt.Sprint(i)), uuid.Nil) })
	}
	wg.Wait()
	return out
}

func TestCreatesShareTransactions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWriter{}
		b := newBatcher(BatchConfig{Workers: 2, MaxBatch: 10}, w.CreateTasks)
		for i, o := range submitAll(b, 50) {
			if o.Err != nil || o.Task.Title != fmt.Sprint(i) {
				t.Fatalf("draft %d got %+v", i, o)
			}
		}
		if w.most != 2 {
			t.Errorf("%d transactions ran at once, want 2", w.most)
		}
		if len(w.batches) > 8 {
			t.Errorf("50 drafts took %d transactions", len(w.batches))
		}
		for _, batch := range w.batches {
			if len(batch) > 10 {
				t.Errorf("a transaction had %d drafts, at most 10 are allowed", len(batch))
			}
		}
		synctest.Wait()
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.queues) != 0 {
			t.Error("an idle project still has a queue")
		}
	})
}

func TestFailingDraftsLeaveTheirNeighboursAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("bad title")
		w := &fakeWriter{outcomes: func(d Draft) error {
			if d.Write.Key == "7" {
				return bad
			}
			return nil
		}}
		for i, o := range submitAll(newBatcher(BatchConfig{}, w.CreateTasks), 20) {
			if (i == 7) != errors.Is(o.Err, bad) {
				t.Errorf("draft %d: %v", i, o.Err)
			}
		}
	})
}

func TestWholeTransactionFailing(t *testing.T) {
	t.Parallel()
	deadlock, broken := errors.New("deadlock"), errors.New("disk full")
	for _, c := range []struct {
		name   string
		err    error
		healed bool
	}{{"retryable: each draft once more", deadlock, true}, {"not retryable: everybody learns", broken, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &fakeWriter{fail: func(keys []string) error {
					if len(keys) > 1 {
						return c.err
					}
					return nil
				}}
				b := newBatcher(BatchConfig{Workers: 1, Retryable: func(err error) bool { return errors.Is(err, deadlock) }}, w.CreateTasks)
				failed := 0
				for _, o := range submitAll(b, 10) {
					if o.Err != nil {
						failed++
					}
				}
				tried, together := 0, 0 // how many found themselves together is the scheduler's choice
				for _, batch := range w.batches {
					tried += len(batch)
					if len(batch) > 1 {
						together += len(batch)
					}
				}
				wantFailed, wantTried := together, 10
				if c.healed {
					wantFailed, wantTried = 0, 10+together
				}
				if failed != wantFailed || tried != wantTried || together == 0 {
					t.Errorf("%d drafts failed, %d were tried, %d of them together", failed, tried, together)
				}
			})
		})
	}
}

func TestRetriesEndAfterOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		deadlock := errors.New("deadlock")
		w := &fakeWriter{fail: func([]string) error { return deadlock }}
		b := newBatcher(BatchConfig{Retryable: func(error) bool { return true }}, w.CreateTasks)
		if o := b.submit(context.Background(), "WEB", draft("1"), uuid.Nil); !errors.Is(o.Err, deadlock) || len(w.batches) != 2 {
			t.Errorf("%v after %d transactions, want the deadlock after two", o.Err, len(w.batches))
		}
	})
}

func TestCallersThatGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWriter{}
		b := newBatcher(BatchConfig{Workers: 1}, w.CreateTasks)
		short, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		var started, waiting, neighbour Outcome
		var wg sync.WaitGroup
		wg.Go(func() { started = b.submit(short, "WEB", draft("started"), uuid.Nil) }) // its transaction takes a second
		synctest.Wait()
		wg.Go(func() { waiting = b.submit(short, "WEB", draft("waiting"), uuid.Nil) })
		wg.Go(func() { neighbour = b.submit(context.Background(), "WEB", draft("neighbour"), uuid.Nil) })
		wg.Wait()
		for name, err := range map[string]error{"started": started.Err, "waiting": waiting.Err} {
			if apperr.CodeOf(err) != apperr.Timeout {
				t.Errorf("%s: %v, want a timeout", name, err)
			}
		}
		if neighbour.Err != nil {
			t.Errorf("the neighbour got %v", neighbour.Err)
		}
		if got := fmt.Sprint(w.batches); got != "[[started] [neighbour]]" {
			t.Errorf("transactions %s, want the waiting one left out", got)
		}
	})
}

func TestQueueFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWriter{}
		b := newBatcher(BatchConfig{Workers: 1, MaxQueue: 3, Backoff: 2 * time.Second}, w.CreateTasks)
		var wg sync.WaitGroup
		for i := range 4 { // one under way, three waiting
			wg.Go(func() { b.submit(context.Background(), "WEB", draft(fmt.Sprint(i)), uuid.Nil) })
			synctest.Wait()
		}
		o := b.submit(context.Background(), "WEB", draft("late"), uuid.Nil)
		if e, ok := apperr.As(o.Err); !ok || e.Code != apperr.Unavailable || e.RetryAfter != 2*time.Second {
			t.Errorf("got %v, want unavailable with Retry-After", o.Err)
		}
		if o := b.submit(context.Background(), "APP", draft("other"), uuid.Nil); o.Err != nil {
			t.Errorf("another project must not notice: %v", o.Err)
		}
		wg.Wait()
	})
}

func TestSubtasksOfOneParentTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWriter{}
		b := newBatcher(BatchConfig{Workers: 1}, w.CreateTasks)
		parent := uuid.New()
		var wg sync.WaitGroup
		for i, p := range []uuid.UUID{uuid.Nil, parent, uuid.Nil, parent, uuid.Nil} {
			wg.Go(func() { b.submit(context.Background(), "WEB", draft(fmt.Sprint(i)), p) })
			synctest.Wait()
		}
		wg.Wait()
		if got := fmt.Sprint(w.batches); got != "[[0] [1 2] [3 4]]" {
			t.Errorf("transactions %s", got)
		}
	})
}

func TestCloseDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWriter{}
		b := newBatcher(BatchConfig{Workers: 1, MaxBatch: 1}, w.CreateTasks)
		stored := 0
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				if o := b.submit(context.Background(), "WEB", draft(fmt.Sprint(i)), uuid.Nil); o.Err == nil {
					mu.Lock()
					stored++
					mu.Unlock()
				}
			})
		}
		synctest.Wait()
		hurried, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		if err := b.close(hurried); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a close with too little time returned %v", err)
		}
		if o := b.submit(context.Background(), "WEB", draft("late"), uuid.Nil); apperr.CodeOf(o.Err) != apperr.Unavailable {
			t.Errorf("a draft behind close got %v", o.Err)
		}
		if err := b.close(context.Background()); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if stored != 5 {
			t.Errorf("%d of 5 were stored", stored)
		}
	})
}

func TestPanicIsAnError(t *testing.T) {
	t.Parallel()
	b := newBatcher(BatchConfig{}, func(context.Context, string, []Draft) []Outcome { panic("nil map") })
	if o := b.submit(context.Background(), "WEB", draft("1"), uuid.Nil); apperr.CodeOf(o.Err) != apperr.Internal {
		t.Errorf("got %v", o.Err)
	}
	b = newBatcher(BatchConfig{}, func(context.Context, string, []Draft) []Outcome { return nil })
	if o := b.submit(context.Background(), "WEB", draft("1"), uuid.Nil); !errors.Is(o.Err, errLostOutcomes) {
		t.Errorf("got %v", o.Err)
	}
}
