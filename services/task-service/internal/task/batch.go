package task

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// BatchConfig bounds the group commit of creates: concurrent creates in one project share transactions. A batch is what
// has come in while the transaction before it was under way, and in the moment after it; the first of a quiet project
// waits for nobody.
type BatchConfig struct {
	Workers   int              `env:"CREATE_WORKERS" envDefault:"1"`      // transactions at once per project; they take turns anyway, for the numbers
	Gather    time.Duration    `env:"CREATE_GATHER" envDefault:"2ms"`     // pause between two transactions of a project, in which those just answered join the next
	MaxBatch  int              `env:"CREATE_MAX_BATCH" envDefault:"128"`  // drafts per transaction
	MaxQueue  int              `env:"CREATE_MAX_QUEUE" envDefault:"4096"` // waiting drafts per project; beyond: apperr.Unavailable
	TxTimeout time.Duration    `env:"CREATE_TX_TIMEOUT" envDefault:"10s"` // of one transaction, which belongs to no single request
	Backoff   time.Duration    `env:"CREATE_RETRY_AFTER" envDefault:"1s"` // Retry-After when a queue is full
	Retryable func(error) bool `env:"-"`                                  // whether a failed transaction may succeed next time (deadlock); nil: none
}

func (c BatchConfig) withDefaults() BatchConfig {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&c.Workers, 1)
	set(&c.MaxBatch, 128)
	set(&c.MaxQueue, 4096)
	if c.TxTimeout <= 0 {
		c.TxTimeout = 10 * time.Second
	}
	if c.Backoff <= 0 {
		c.Backoff = time.Second
	}
	return c
}

// batcher gives drafts to commit in batches of one project. Workers live only while their project has drafts.
type batcher struct {
	cfg    BatchConfig
	commit func(ctx context.Context, projectKey string, drafts []Draft) []Outcome

	mu      sync.Mutex
	queues  map[string]*queue
	closed  bool
	workers sync.WaitGroup
}

type queue struct {
	waiting []*ticket
	workers int // at least one while something waits
}

type ticket struct {
	draft  Draft
	parent uuid.UUID
	done   chan Outcome // of one: the worker never waits for a caller that has gone
}

func newBatcher(cfg BatchConfig, commit func(context.Context, string, []Draft) []Outcome) *batcher {
	return &batcher{cfg: cfg.withDefaults(), commit: commit, queues: map[string]*queue{}}
}

// submit returns the draft's outcome. If ctx ends before the draft's transaction starts, the draft is left out; if it
// ends later, the draft may still be stored (its idempotency key tells), and the neighbours do not notice.
func (b *batcher) submit(ctx context.Context, projectKey string, d Draft, parent uuid.UUID) Outcome {
	d.Ctx = ctx
	t := &ticket{draft: d, parent: parent, done: make(chan Outcome, 1)}
	//nolint:contextcheck // the transaction belongs to no single request: transact says which context it has
	if err := b.enqueue(projectKey, t); err != nil {
		return Outcome{Err: err}
	}
	select {
	case o := <-t.done:
		return o
	case <-ctx.Done():
	}
	if b.withdraw(projectKey, t) {
		return Outcome{Err: fmt.Errorf("task: create, not started: %w", context.Cause(ctx))}
	}
	select {
	case o := <-t.done: // both were ready
		return o
	default:
		return Outcome{Err: fmt.Errorf("task: create, outcome unknown: %w", context.Cause(ctx))}
	}
}

func (b *batcher) enqueue(projectKey string, t *ticket) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return apperr.New(apperr.Unavailable, "The server is shutting down; try again in a moment.").WithRetryAfter(b.cfg.Backoff)
	}
	q := b.queues[projectKey]
	if q == nil {
		q = &queue{}
		b.queues[projectKey] = q
	}
	if len(q.waiting) >= b.cfg.MaxQueue {
		return apperr.New(apperr.Unavailable, "Too many tasks are being created in project %s; try again in a moment.", projectKey).WithRetryAfter(b.cfg.Backoff)
	}
	q.waiting = append(q.waiting, t)
	if q.workers < b.cfg.Workers {
		q.workers++
		b.workers.Add(1)
		go b.work(projectKey, q)
	}
	return nil
}

// withdraw takes a ticket out of its queue; false if its transaction has started.
func (b *batcher) withdraw(projectKey string, t *ticket) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[projectKey]
	if q == nil {
		return false
	}
	i := slices.Index(q.waiting, t)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

func (b *batcher) work(projectKey string, q *queue) {
	defer b.workers.Done()
	for {
		batch := b.next(projectKey, q)
		if batch == nil {
			return
		}
		b.run(projectKey, batch)
		b.gather()
	}
}

// gather waits a moment after a transaction: those it answered ask again at once, and join those who waited. Without it,
// callers fall into two camps that take turns, and each transaction carries half of them.
func (b *batcher) gather() {
	timer := time.NewTimer(b.cfg.Gather)
	defer timer.Stop()
	<-timer.C
}

// next takes the next batch; nil ends the worker. A second subtask of one parent waits for the next batch, so that the
// check of the parent's limits sees the first.
func (b *batcher) next(projectKey string, q *queue) []*ticket {
	b.mu.Lock()
	defer b.mu.Unlock()
	var batch []*ticket
	parents := map[uuid.UUID]bool{}
	taken := 0
	for _, t := range q.waiting {
		if len(batch) == b.cfg.MaxBatch || parents[t.parent] {
			break
		}
		taken++
		if err := t.draft.Ctx.Err(); err != nil { // its caller has gone or is about to
			t.done <- Outcome{Err: fmt.Errorf("task: create, not started: %w", err)}
			continue
		}
		if t.parent != uuid.Nil {
			parents[t.parent] = true
		}
		batch = append(batch, t)
	}
	q.waiting = slices.Delete(q.waiting, 0, taken)
	if len(batch) == 0 { // then nothing waits either
		if q.workers--; q.workers == 0 {
			delete(b.queues, projectKey)
		}
	}
	return batch
}

func (b *batcher) run(projectKey string, batch []*ticket) {
	outcomes := b.transact(projectKey, batch)
	if b.failedAsAWhole(outcomes) {
		// One draft's bad luck (a deadlock) is not to fail its neighbours: each gets one more try of its own.
		for i, t := range batch {
			if t.draft.Ctx.Err() == nil {
				outcomes[i] = b.transact(projectKey, batch[i:i+1])[0]
			}
		}
	}
	for i, t := range batch {
		t.done <- outcomes[i]
	}
}

func (b *batcher) failedAsAWhole(outcomes []Outcome) bool {
	if b.cfg.Retryable == nil {
		return false
	}
	for _, o := range outcomes {
		if o.Err == nil || !b.cfg.Retryable(o.Err) {
			return false
		}
	}
	return true
}

var errLostOutcomes = errors.New("task: the store answered with another number of outcomes than drafts")

// transact runs one transaction. Its context has the first request's values (its trace) and none of their deadlines.
func (b *batcher) transact(projectKey string, batch []*ticket) (outcomes []Outcome) {
	drafts := make([]Draft, len(batch))
	for i, t := range batch {
		drafts[i] = t.draft
	}
	all := func(err error) []Outcome {
		return slices.Repeat([]Outcome{{Err: err}}, len(batch))
	}
	defer func() {
		if p := recover(); p != nil { // in a goroutine of ours it would end the process, not one request
			outcomes = all(fmt.Errorf("task: create panicked: %v\n%s", p, debug.Stack()))
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(drafts[0].Ctx), b.cfg.TxTimeout)
	defer cancel()
	outcomes = b.commit(ctx, projectKey, drafts)
	if len(outcomes) != len(drafts) {
		return all(errLostOutcomes)
	}
	return outcomes
}

// close refuses new drafts and waits until those that wait are stored, or ctx ends.
func (b *batcher) close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	drained := make(chan struct{})
	go func() {
		b.workers.Wait()
		close(drained)
	}()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("task: close: creates are still under way: %w", context.Cause(ctx))
	}
}
