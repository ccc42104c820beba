package flow

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// ImportTasks implements task.ImportStore. w.Key is not looked at: sources make an import idempotent.
func (f *Flows) ImportTasks(ctx context.Context, _ task.Write, projectKey string, items []task.Imported) (added []bool, err error) {
	if len(items) == 0 {
		return nil, nil
	}
	ctx, cancel := Bounded(ctx)
	defer cancel()
	id, err := f.engine.ProjectID(ctx, projectKey)
	if err != nil {
		return nil, Classify("import tasks", err)
	}
	err = f.transaction(ctx, "import tasks", func(ctx context.Context, tx Tx, _ int) error {
		added = make([]bool, len(items))
		counters, err := tx.LockCounters(ctx, id)
		if err != nil {
			return err
		}
		i := &importing{f: f, tx: tx, key: projectKey, added: added, counters: counters,
			ranks: &ranker{tx: tx, project: id, last: &counters.LastRank}}
		return i.run(ctx, id, items)
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

type importing struct {
	f        *Flows
	tx       Tx
	key      string
	added    []bool
	counters Counters
	ranks    *ranker
}

func (i *importing) run(ctx context.Context, project uuid.UUID, items []task.Imported) error {
	known, err := i.known(ctx, project, items)
	if err != nil {
		return err
	}
	taken, err := i.taken(ctx, project, items)
	if err != nil {
		return err
	}
	var (
		tasks     []*task.Task
		events    []history.Event
		comments  []task.Comment
		relations []task.Relation
		number    = i.counters.LastNumber
	)
	for n := range items {
		item := items[n] // a copy: a second attempt starts from what the caller gave
		if item.Task.Source != "" {
			if known[item.Task.Source] {
				continue
			}
			known[item.Task.Source] = true
		}
		given, err := i.rank(ctx, item.Task, taken)
		if err != nil {
			return err
		}
		t := *item.Task
		item.Task, item.Events = &t, slices.Clone(item.Events)
		number++
		t.ProjectKey = i.key
		item.Place(number, given)
		i.added[n] = true
		tasks = append(tasks, &t)
		events = append(events, i.f.stamp(ctx, item.Events)...)
		comments = append(comments, item.Comments...)
		relations = append(relations, item.Relations...)
	}
	if len(tasks) == 0 {
		return nil
	}
	if err := i.tx.InsertTasks(ctx, tasks); err != nil {
		return err
	}
	if err := i.tx.InsertEvents(ctx, events); err != nil {
		return err
	}
	if err := i.tx.PutComments(ctx, comments); err != nil {
		return err
	}
	if err := i.tx.PutRelations(ctx, relations); err != nil {
		return err
	}
	return i.tx.SetLastNumber(ctx, project, number)
}

// rank keeps the task's own rank where that is free, else takes the place behind whoever has it, else the bottom.
func (i *importing) rank(ctx context.Context, t *task.Task, taken map[string]bool) (string, error) {
	if t.Rank == "" {
		return i.ranks.place(ctx, task.Placement{}, uuid.Nil)
	}
	if !taken[t.Rank] {
		taken[t.Rank] = true
		i.ranks.take(t.Rank, uuid.Nil)
		return t.Rank, nil
	}
	return i.ranks.behind(ctx, t.Rank)
}

func (i *importing) known(ctx context.Context, project uuid.UUID, items []task.Imported) (map[string]bool, error) {
	var sources []string
	for _, item := range items {
		if item.Task.Source != "" {
			sources = append(sources, item.Task.Source)
		}
	}
	return lookUp(ctx, sources, func(ctx context.Context, of []string) ([]string, error) {
		return i.tx.SourcesIn(ctx, project, of)
	})
}

func (i *importing) taken(ctx context.Context, project uuid.UUID, items []task.Imported) (map[string]bool, error) {
	var ranks []string
	for _, item := range items {
		if item.Task.Rank != "" {
			ranks = append(ranks, item.Task.Rank)
		}
	}
	return lookUp(ctx, ranks, func(ctx context.Context, of []string) ([]string, error) {
		return i.tx.RanksIn(ctx, project, of)
	})
}

// maxLookUp is how many values one statement asks for.
const maxLookUp = 1000

// lookUp returns the set of those values that find finds.
func lookUp(ctx context.Context, values []string, find func(context.Context, []string) ([]string, error)) (map[string]bool, error) {
	found := map[string]bool{}
	for part := range slices.Chunk(values, maxLookUp) {
		have, err := find(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, v := range have {
			found[v] = true
		}
	}
	return found, nil
}

// KnownIn is task.ImportStore's KnownSources in terms of one statement.
func KnownIn(ctx context.Context, sources []string, find func(context.Context, []string) ([]string, error)) (map[string]bool, error) {
	return lookUp(ctx, sources, find)
}
