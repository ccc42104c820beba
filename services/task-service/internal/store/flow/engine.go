// Package flow holds what a transaction of task-service does, statement by statement, once for both engines: group
// commit, updates under lock, imports, changes of settings, idempotency. An engine contributes its statements as [Engine]
// and [Tx]; the stores of package mysql and postgres embed [Flows].
//
// # Locks
//
// Every transaction locks in the order task rows (by id), project row, counters row, and never the other way round:
//
//   - creating and importing tasks lock the counters row only;
//   - changing tasks locks them, shares the project row and, for changes of structure and for new occurrences, locks the
//     counters row;
//   - changing a project locks its row and then the counters row, and looks at tasks without locking them: nobody can have
//     put a task into a state unseen, because that needs one of the two rows.
//
// What is left are collisions of ranks and of idempotency keys, found by unique indexes, and the engines' own deadlocks:
// the whole transaction is then run again.
package flow

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Engine is one kind of database.
type Engine interface {
	// Transaction runs fn in a READ COMMITTED transaction: commits if it returns nil, and rolls back otherwise. It is run
	// once; errors come as the driver made them.
	Transaction(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// ProjectID returns the id of a project, or apperr.NotFound.
	ProjectID(ctx context.Context, key string) (uuid.UUID, error)
	// TaskIDs returns the ids of tasks by number; numbers nobody has are missing in the map.
	TaskIDs(ctx context.Context, project uuid.UUID, numbers []int64) (map[int64]uuid.UUID, error)
}

// Counters of a project.
type Counters struct {
	LastNumber int64
	Version    int64  // of the project's settings
	LastRank   string // greatest in use, empty without tasks
}

// Replay is the record of a request that carried an idempotency key.
type Replay struct {
	Actor   uuid.UUID
	Key     string
	Request [32]byte
	Result  []byte // JSON
	Created time.Time
}

// Tx is one transaction. Reads find what it has written. Writes may be kept back until the next read or the commit, which
// then reports their errors. Errors come as the driver made them, but for apperr.NotFound where that is said.
type Tx interface {
	Locks
	TaskReads
	TaskWrites
	ProjectWrites
}

// Locks are taken until the end of the transaction.
type Locks interface {
	// LockCounters locks the counters row; apperr.NotFound.
	LockCounters(ctx context.Context, project uuid.UUID) (Counters, error)
	// ShareProject holds a project against change, and returns the version of its settings.
	ShareProject(ctx context.Context, project uuid.UUID) (version int64, err error)
	// LockProject locks a project for change and reads it; apperr.NotFound.
	LockProject(ctx context.Context, project uuid.UUID) (*project.Project, error)
	// LockTasks locks tasks in the order of their ids and returns those there are, without their project's key.
	LockTasks(ctx context.Context, ids []uuid.UUID) ([]*task.Task, error)
	// LockTask locks one task by project and number; nil if there is none.
	LockTask(ctx context.Context, project uuid.UUID, number int64) (*task.Task, error)
}

// TaskReads are reads without locks.
type TaskReads interface {
	// Settings reads a project.
	Settings(ctx context.Context, project uuid.UUID) (*project.Project, error)
	// Replays returns the records of those of an actor's keys that have been used.
	Replays(ctx context.Context, actor uuid.UUID, keys []string) ([]Replay, error)
	// Task reads a task without its project's key; nil if there is none.
	Task(ctx context.Context, id uuid.UUID) (*task.Task, error)
	// FirstRank and LastRank return the ends of a project's order, "" without tasks.
	FirstRank(ctx context.Context, project uuid.UUID) (string, error)
	LastRank(ctx context.Context, project uuid.UUID) (string, error)
	// RankOf returns the rank of a task of the project, "" if there is none.
	RankOf(ctx context.Context, project, id uuid.UUID) (string, error)
	// NextRank and PreviousRank return the rank next to one, "" at the end.
	NextRank(ctx context.Context, project uuid.UUID, rank string) (string, error)
	PreviousRank(ctx context.Context, project uuid.UUID, rank string) (string, error)
	// RanksIn returns which of the ranks are in use.
	RanksIn(ctx context.Context, project uuid.UUID, ranks []string) ([]string, error)
	// SourcesIn returns which of the sources are known.
	SourcesIn(ctx context.Context, project uuid.UUID, sources []string) ([]string, error)
	// ParentOf returns the parent of a task, uuid.Nil without.
	ParentOf(ctx context.Context, id uuid.UUID) (uuid.UUID, error)
	// ChildrenOf returns the direct subtasks of tasks, trashed ones included.
	ChildrenOf(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error)
	// CountChildren counts the direct subtasks of a task that are not in the trash.
	CountChildren(ctx context.Context, id uuid.UUID) (int64, error)
	// RelatedFrom returns where relations of the kind lead from tasks.
	RelatedFrom(ctx context.Context, kind task.RelationKind, ids []uuid.UUID) ([]uuid.UUID, error)
	Relations(ctx context.Context, id uuid.UUID) ([]task.Relation, error)
	// Comment returns a comment of a task, or apperr.NotFound.
	Comment(ctx context.Context, taskID, id uuid.UUID) (task.Comment, error)
	// StateInUse reports whether any task, trashed ones included, is in one of the states.
	StateInUse(ctx context.Context, project uuid.UUID, states []uuid.UUID) (bool, error)
}

// TaskWrites write tasks and what belongs to them.
type TaskWrites interface {
	InsertTasks(ctx context.Context, tasks []*task.Task) error
	// UpdateTask writes what differs between before and after.
	UpdateTask(ctx context.Context, before, after *task.Task) error
	InsertEvents(ctx context.Context, events []history.Event) error
	InsertReplays(ctx context.Context, replays []Replay) error
	SetLastNumber(ctx context.Context, project uuid.UUID, number int64) error
	PutRelations(ctx context.Context, rs []task.Relation) error // those that exist stay
	DropRelation(ctx context.Context, r task.Relation) (there bool, err error)
	PutComments(ctx context.Context, cs []task.Comment) error // replaces body, mentions and edited of one that exists
	DropComment(ctx context.Context, taskID, id uuid.UUID) (there bool, err error)
}

// ProjectWrites write settings and views.
type ProjectWrites interface {
	InsertProject(ctx context.Context, p *project.Project) error
	// UpdateProject writes what differs between before and after.
	UpdateProject(ctx context.Context, before, after *project.Project) error
	// View returns a view of a project, or apperr.NotFound.
	View(ctx context.Context, project, id uuid.UUID) (project.View, error)
	CountViews(ctx context.Context, project uuid.UUID) (int64, error)
	PutView(ctx context.Context, v project.View) error
	DropView(ctx context.Context, id uuid.UUID) error
}
