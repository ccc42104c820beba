package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// CreateTasks implements task.Writer: many requests, one transaction. What a draft does wrong is its own outcome; what the
// database refuses is everybody's.
func (f *Flows) CreateTasks(ctx context.Context, projectKey string, drafts []task.Draft) []task.Outcome {
	out := make([]task.Outcome, len(drafts))
	if len(drafts) == 0 {
		return out
	}
	id, err := f.engine.ProjectID(ctx, projectKey)
	if err == nil {
		err = f.transaction(ctx, "create tasks", func(ctx context.Context, tx Tx, attempt int) error {
			clear(out)
			b := &batch{f: f, tx: tx, drafts: drafts, out: out, lookup: attempt > 0}
			return b.run(ctx, id)
		})
	}
	if err != nil {
		err = Classify("create tasks", err)
		for i := range out {
			out[i] = task.Outcome{Err: err}
		}
	}
	return out
}

// batch is one attempt at a group commit.
type batch struct {
	f      *Flows
	tx     Tx
	drafts []task.Draft
	out    []task.Outcome
	// lookup asks for used idempotency keys before any work. The first attempt does without: a key that has been used shows
	// as a duplicate when it is written, or its draft fails, and that is rare.
	lookup  bool
	rules   rules
	used    map[usedKey]Replay
	tasks   []*task.Task
	events  []history.Event
	replays []Replay
}

type usedKey struct {
	actor uuid.UUID
	key   string
}

func (b *batch) run(ctx context.Context, project uuid.UUID) error {
	counters, err := b.tx.LockCounters(ctx, project)
	if err != nil {
		return err
	}
	settings, err := b.f.settingsAt(ctx, b.tx, project, counters.Version)
	if err != nil {
		return err
	}
	b.used = map[usedKey]Replay{}
	b.rules = rules{f: b.f, tx: b.tx, ctx: ctx, project: settings, counters: &counters,
		ranks: &ranker{tx: b.tx, project: project, last: &counters.LastRank}}
	if b.lookup {
		if err := b.lookUpAll(ctx); err != nil {
			return err
		}
	}
	for i := range b.drafts {
		if err := b.draft(ctx, i); err != nil {
			return err
		}
	}
	return b.write(ctx)
}

// draft makes one draft's outcome. Its error is one of the whole transaction.
func (b *batch) draft(ctx context.Context, i int) error {
	d, out := &b.drafts[i], &b.out[i]
	if out.Err = ended(d.Ctx); out.Err != nil { //nolint:contextcheck // each draft has the context of its own request
		return nil //nolint:nilerr // it is the draft's error
	}
	if b.replayed(d, out) {
		return nil
	}
	t, err := b.make(ctx, d)
	if err == nil {
		return b.keep(d, out, t) //nolint:contextcheck // its events belong to the draft's trace
	}
	if _, ours := apperr.As(err); !ours && !errors.As(err, new(buildError)) {
		return err
	}
	if d.Write.Key != "" && !b.lookup { // it may fail only because it has been done before
		if err := b.lookUp(ctx, d.Write.Actor, []string{d.Write.Key}); err != nil {
			return err
		}
		if b.replayed(d, out) {
			return nil
		}
	}
	out.Err = err
	return nil
}

// buildError marks an error of Build, which is never the database's.
type buildError struct{ error }

func (e buildError) Unwrap() error { return e.error }

// make builds the draft's task and gives it number and rank.
func (b *batch) make(ctx context.Context, d *task.Draft) (*task.Task, error) {
	t, place, err := d.Build(b.rules.project)
	if err != nil {
		return nil, buildError{err}
	}
	b.rules.now = t.ID
	if d.Check != nil {
		if err := d.Check(ctx, &b.rules, t); err != nil {
			return nil, err
		}
	}
	made, err := b.rules.ranks.place(ctx, place, t.ID)
	if err != nil {
		return nil, err
	}
	b.rules.number(t, made)
	return t, nil
}

// keep marks a task for writing.
func (b *batch) keep(d *task.Draft, out *task.Outcome, t *task.Task) error {
	trace := d.Ctx
	if trace == nil {
		trace = context.Background()
	}
	b.tasks = append(b.tasks, t)
	b.events = append(b.events, b.f.stamp(trace, t.TakePending())...)
	out.Task = t
	if d.Write.Key == "" {
		return nil
	}
	r, err := b.f.replay(d.Write, t)
	if err != nil {
		return err
	}
	b.replays = append(b.replays, r)
	b.used[usedKey{d.Write.Actor, d.Write.Key}] = r
	return nil
}

// replayed answers a draft whose key has been used, by an earlier request or by a draft in front of it.
func (b *batch) replayed(d *task.Draft, out *task.Outcome) bool {
	if d.Write.Key == "" {
		return false
	}
	r, ok := b.used[usedKey{d.Write.Actor, d.Write.Key}]
	switch {
	case !ok:
		return false
	case r.Request != d.Write.RequestHash:
		out.Err = errKeyReused()
		return true
	}
	var t task.Task
	if err := json.Unmarshal(r.Result, &t); err != nil {
		out.Err = fmt.Errorf("read the answer of an earlier request: %w", err)
		return true
	}
	out.Task, out.Replayed = &t, true
	return true
}

func (b *batch) lookUpAll(ctx context.Context) error {
	keys := map[uuid.UUID][]string{}
	for _, d := range b.drafts {
		if d.Write.Key != "" {
			keys[d.Write.Actor] = append(keys[d.Write.Actor], d.Write.Key)
		}
	}
	for actor, of := range keys {
		if err := b.lookUp(ctx, actor, of); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) lookUp(ctx context.Context, actor uuid.UUID, keys []string) error {
	rs, err := b.tx.Replays(ctx, actor, keys)
	if err != nil {
		return err
	}
	for _, r := range rs {
		b.used[usedKey{r.Actor, r.Key}] = r
	}
	return nil
}

func (b *batch) write(ctx context.Context) error {
	if len(b.tasks) == 0 {
		return nil
	}
	if err := b.tx.InsertTasks(ctx, b.tasks); err != nil {
		return err
	}
	if err := b.tx.InsertEvents(ctx, b.events); err != nil {
		return err
	}
	if err := b.tx.InsertReplays(ctx, b.replays); err != nil {
		return err
	}
	return b.rules.saveNumber(ctx)
}
