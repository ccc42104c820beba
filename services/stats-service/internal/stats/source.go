package stats

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Source is what the projections say about one project at one moment. All calls see the same snapshot.
type Source interface {
	// States returns all states, archived ones included.
	States(ctx context.Context) ([]State, error)
	// Tasks calls fn for every task, trashed ones included, in no particular order. The task is fn's only during the call.
	Tasks(ctx context.Context, fn func(*Task) error) error
	// Transitions calls fn for every transition, in no particular order.
	Transitions(ctx context.Context, fn func(*Transition) error) error
	// Titles returns the titles of tasks, leaving out those it does not know.
	Titles(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error)
}

// View is a project's projections with what an answer has to say about them, in one snapshot.
type View struct {
	Source
	Cursor   Cursor
	Applied  int64      // position of the last applied event of the project
	Revision int64      // grows with each change of the project's projections
	Pending  *time.Time // when the oldest event not yet applied was recorded; nil when all are
}

// Input of a computation.
type Input struct {
	Key    string    // of the project, for task keys
	Now    time.Time // the moment the answer is for
	Days   Days      // the period, in the viewer's zone
	Filter Filter
}

func (in Input) today() Date { return DateOf(in.Now, in.Days.zone) }

// board is the states of a project in board order, archived ones last.
type board struct {
	order []State
	index map[uuid.UUID]int
}

func newBoard(ctx context.Context, src Source) (board, error) {
	states, err := src.States(ctx)
	if err != nil {
		return board{}, err
	}
	slices.SortFunc(states, func(a, b State) int {
		switch {
		case a.Archived != b.Archived && a.Archived:
			return 1
		case a.Archived != b.Archived:
			return -1
		case a.Position != b.Position:
			return a.Position - b.Position
		}
		return strings.Compare(a.ID.String(), b.ID.String())
	})
	b := board{order: states, index: make(map[uuid.UUID]int, len(states))}
	for i, s := range states {
		b.index[s.ID] = i
	}
	return b, nil
}

// category of a state; empty for the outside.
func (b board) category(state uuid.UUID) Category {
	if i, ok := b.index[state]; ok {
		return b.order[i].Category
	}
	return ""
}

// eachMatching calls fn for the live tasks the filter chooses.
func eachMatching(ctx context.Context, src Source, f Filter, fn func(*Task)) error {
	return src.Tasks(ctx, func(t *Task) error {
		if t.Live() && f.Match(t) {
			fn(t)
		}
		return nil
	})
}

func taskKey(project string, number int64) string {
	return project + "-" + strconv.FormatInt(number, 10)
}
