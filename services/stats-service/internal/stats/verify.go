package stats

import (
	"context"
	"strconv"

	"github.com/google/uuid"
)

// VerifySource shows both sides of a verification in one snapshot: the projections of one generation, and the tables of
// task-service they were made from. Ranges of ids exclude their start and include their end.
type VerifySource interface {
	CountPositions(ctx context.Context, until int64) (int64, error)
	AllParked(ctx context.Context) (map[uuid.UUID]bool, error)
	SourceProjects(ctx context.Context) (ids []uuid.UUID, seqs []int64, err error)
	SourceStates(ctx context.Context, project uuid.UUID) ([]State, error)
	LoadProjects(ctx context.Context, ids []uuid.UUID) ([]*Project, error)
	// SourceTasks returns the next tasks by id, without Entered and Seq.
	SourceTasks(ctx context.Context, after uuid.UUID, limit int) ([]*Task, error)
	// SourceEvents returns the events of tasks in a range of task ids by task and seq; those without position have Pos 0.
	SourceEvents(ctx context.Context, after, until uuid.UUID) ([]Event, error)
	ProjectedTasks(ctx context.Context, after, until uuid.UUID) ([]*Task, error)
	ProjectedTransitions(ctx context.Context, after, until uuid.UUID) ([]Transition, error)
}

// verifyPage is how many tasks are compared at a time: it bounds memory.
const verifyPage = 500

// Verify recounts everything as of the cursor's position and compares it with the projections (see [Recount]). Source and
// projections are read in one snapshot, so that tasks and events agree with each other however busy the database is; the
// events that the cursor has not passed are undone from the tasks. Parked tasks and projects are left out and counted.
func Verify(ctx context.Context, src VerifySource, c Cursor, limit int) (*Verification, error) {
	v := NewVerification(limit)
	v.Pos, v.Generation = c.Pos, c.Generation
	have, err := src.CountPositions(ctx, c.Pos)
	if err != nil {
		return nil, err
	}
	if have != c.Pos {
		v.Add(Difference{Kind: "cursor", ID: "events", Field: "positions", Want: strconv.FormatInt(have, 10), Have: strconv.FormatInt(c.Pos, 10)})
	}
	parked, err := src.AllParked(ctx)
	if err != nil {
		return nil, err
	}
	v.Parked = len(parked)
	categories, err := v.verifyProjects(ctx, src, parked)
	if err != nil {
		return nil, err
	}
	last := uuid.Max
	for after := uuid.Nil; ; {
		rows, err := src.SourceTasks(ctx, after, verifyPage)
		if err != nil {
			return nil, err
		}
		until := last
		if len(rows) == verifyPage {
			until = rows[len(rows)-1].ID
		}
		if err := v.verifyRange(ctx, src, rows, after, until, parked, categories); err != nil {
			return nil, err
		}
		if until == last {
			break
		}
		after = until
	}
	v.Equal = v.Count == 0 && v.Parked == 0
	return v, nil
}

// verifyProjects compares states, and returns the category of each state. A project that was changed beyond the cursor
// is left to the next verification.
func (v *Verification) verifyProjects(ctx context.Context, src VerifySource, parked map[uuid.UUID]bool) (map[uuid.UUID]Category, error) {
	categories := make(map[uuid.UUID]Category)
	ids, seqs, err := src.SourceProjects(ctx)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		want, err := src.SourceStates(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, s := range want {
			categories[s.ID] = s.Category
		}
		projected, err := src.LoadProjects(ctx, []uuid.UUID{id})
		if err != nil {
			return nil, err
		}
		if len(projected) == 0 || projected[0].Seq != seqs[i] || parked[id] {
			continue
		}
		have := make([]State, 0, len(projected[0].States))
		for _, s := range projected[0].States {
			have = append(have, s)
		}
		v.CompareStates(id, want, have)
	}
	return categories, nil
}

// verifyRange compares the tasks with ids in a range.
func (v *Verification) verifyRange(ctx context.Context, src VerifySource, rows []*Task, after, until uuid.UUID,
	parked map[uuid.UUID]bool, categories map[uuid.UUID]Category,
) error {
	events, err := src.SourceEvents(ctx, after, until)
	if err != nil {
		return err
	}
	projected, err := src.ProjectedTasks(ctx, after, until)
	if err != nil {
		return err
	}
	transitions, err := src.ProjectedTransitions(ctx, after, until)
	if err != nil {
		return err
	}
	eventsOf := groupBy(events, func(e *Event) uuid.UUID { return e.ID })
	transitionsOf := groupBy(transitions, func(t *Transition) uuid.UUID { return t.Task })
	have := make(map[uuid.UUID]*Task, len(projected))
	for _, t := range projected {
		have[t.ID] = t
	}
	category := func(state uuid.UUID) Category { return categories[state] }
	for _, row := range rows {
		h := have[row.ID]
		delete(have, row.ID)
		if parked[row.ID] {
			continue
		}
		want, wantTransitions, err := Recount(row, eventsOf[row.ID], v.Pos, category)
		if err != nil {
			v.Add(Difference{Kind: "task", Project: row.Project, ID: row.ID.String(), Field: "events", Want: err.Error()})
			continue
		}
		v.CompareTask(want, h)
		v.CompareTransitions(row.Project, wantTransitions, transitionsOf[row.ID])
	}
	for id, h := range have {
		if !parked[id] {
			v.CompareTask(nil, h)
		}
	}
	return nil
}

// groupBy splits a list that is sorted by key.
func groupBy[T any](list []T, key func(*T) uuid.UUID) map[uuid.UUID][]T {
	out := make(map[uuid.UUID][]T)
	for start := 0; start < len(list); {
		end := start + 1
		for end < len(list) && key(&list[end]) == key(&list[start]) {
			end++
		}
		out[key(&list[start])] = list[start:end]
		start = end
	}
	return out
}
