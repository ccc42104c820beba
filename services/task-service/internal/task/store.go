package task

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// Ref names a task: by id, or by project key and number (WEB-42).
type Ref struct {
	ID     uuid.UUID
	Key    string
	Number int64
}

// Write says who changes something and how a retry is recognised; see project.Write.
type Write = project.Write

// Draft is a task to be created together with others of its project.
type Draft struct {
	Write Write
	Ctx   context.Context // of the request: its trace and its deadline; a draft whose context is done is left out
	// Build makes the task inside the transaction, from the project's settings as locked: it checks fields and calls New.
	Build func(p *project.Project) (*Task, Placement, error)
	// Check, unless nil, is called inside the transaction behind Build and LockStructure, in front of Place: it may look
	// at other tasks (a parent's depth and number of subtasks). No two drafts of a batch have the same parent.
	Check func(ctx context.Context, tx Tx, t *Task) error
}

// Outcome of one draft.
type Outcome struct {
	Task     *Task
	Replayed bool // the idempotency key had been used for the same request: Task is the answer of then
	Err      error
}

// Tx is what a rule may ask for inside the transaction that changes a task.
type Tx interface {
	// Project returns the settings of the project, held against change until commit.
	Project() *project.Project
	// Rank returns a rank for the placement, never equal to one in use.
	Rank(ctx context.Context, p Placement) (string, error)
	// LockStructure serialises changes of parents and relations in this project until commit. Call it before the checks below.
	LockStructure(ctx context.Context) error
	// Ancestors returns the ids above a task, nearest first.
	Ancestors(ctx context.Context, id uuid.UUID) ([]uuid.UUID, error)
	// Height returns how many levels of subtasks are below a task.
	Height(ctx context.Context, id uuid.UUID) (int, error)
	// Sibling returns another task of the same project, or apperr.NotFound; not locked.
	Sibling(ctx context.Context, id uuid.UUID) (*Task, error)
	// Children counts the direct subtasks of a task that are not in the trash.
	Children(ctx context.Context, id uuid.UUID) (int, error)
	// Reaches reports whether a path of relations of the kind leads from one task to the other.
	Reaches(ctx context.Context, kind RelationKind, from, to uuid.UUID) (bool, error)
	// Relations returns the relations of a task, both sides.
	Relations(ctx context.Context, id uuid.UUID) ([]Relation, error)
	PutRelation(ctx context.Context, r Relation) error          // idempotent
	DropRelation(ctx context.Context, r Relation) error         // apperr.NotFound if there is none
	Comment(ctx context.Context, id uuid.UUID) (Comment, error) // of the task being changed, or apperr.NotFound
	PutComment(ctx context.Context, c Comment) error
	DropComment(ctx context.Context, id uuid.UUID) error
	// Add creates another task in the same project and transaction (the next occurrence of a recurring one).
	Add(ctx context.Context, t *Task, p Placement) error
}

// Writer changes tasks. Each method is one transaction that writes state, history rows and the idempotency record.
type Writer interface {
	// CreateTasks stores drafts of ONE project in one transaction (group commit): it takes the project's settings, takes a
	// block of numbers, and inserts all. A draft that fails by its own fault does not hurt its neighbours. If the
	// transaction as a whole fails, every outcome carries that error.
	CreateTasks(ctx context.Context, projectKey string, drafts []Draft) []Outcome
	// UpdateTask locks the task, checks w.IfVersion (apperr.Stale with Current *Task), calls fn, stores the task if fn
	// recorded events. A used idempotency key of the same request returns replayed = true and the answer of then.
	// Version grows by one if fn changed fields, Seq by the number of events. In-trash tasks reach fn, too.
	UpdateTask(ctx context.Context, w Write, ref Ref, fn func(ctx context.Context, tx Tx, t *Task) error) (t *Task, replayed bool, err error)
	// UpdateTasks does the same for many tasks of one project, all or none; tasks are locked in id order, fn is called in
	// the given order.
	UpdateTasks(ctx context.Context, w Write, refs []Ref, fn func(ctx context.Context, tx Tx, t *Task) error) (ts []*Task, replayed bool, err error)
}

// Reader reads tasks outside of transactions.
type Reader interface {
	Task(ctx context.Context, ref Ref) (*Task, error) // trashed ones included; apperr.NotFound
	ListTasks(ctx context.Context, q Query) (Page, error)
	CountTasks(ctx context.Context, q Query) (int64, error)
	Details(ctx context.Context, id uuid.UUID) (Details, error)
	ProgressOf(ctx context.Context, parents []uuid.UUID) (map[uuid.UUID]Progress, error)
}

// Details are what the task panel shows beyond the task's own fields.
type Details struct {
	Subtasks  []*Task // by rank
	Relations []Relation
	Related   []*Task // the tasks the relations name, and the parent
	Comments  []Comment
}

// HistoryReader reads events.
type HistoryReader interface {
	// TaskHistory returns events of one task with seq < beforeSeq (0: the newest), newest first.
	TaskHistory(ctx context.Context, id uuid.UUID, beforeSeq int64, limit int) ([]history.Event, error)
	// EventsAfter returns positioned events with pos > after, in order of pos; project uuid.Nil: of all projects.
	EventsAfter(ctx context.Context, project uuid.UUID, after int64, limit int) ([]history.Event, error)
	// LastPos returns the highest position given so far.
	LastPos(ctx context.Context) (int64, error)
	// BoardAt returns the project's tasks as they stood at the moment, in order of rank, trashed ones left out, and the
	// project settings as of then: it takes the present and undoes what occurred later, in one snapshot.
	BoardAt(ctx context.Context, projectKey string, at time.Time) (*project.Project, []*Task, error)
}

// Condition is one term of a filter with its names resolved to ids and its dates to days, so that stores need not know
// the filter language. Exactly one of the value fields is set (None may stand beside IDs, Dates or Numbers).
type Condition struct {
	Field   string      // a field name of package filter
	Op      filter.Op   // Is unless the field is ordered
	Not     bool        // the whole condition negated
	IDs     []uuid.UUID // states, assignees, labels, parents, creators: any of them; empty and not None: matches nothing
	None    bool        // matches tasks without a value
	Dates   []Date      // due, start: any of them; with an operator exactly one
	From    time.Time   // created, updated, completed: instants of a half-open span [From, Until); zero: open end
	Until   time.Time
	Numbers []float64 // priority, estimate
	Words   []string  // text: lower case; each must occur in title or description as a word or its beginning
	Flag    string    // is: open, done, overdue, blocked, blocking, subtask, recurring, unassigned
	Today   Date      // for the flag overdue
}

// Sort orders a list; ties are broken by id.
type Sort struct {
	Field      string // rank, created, updated, due, start, priority, number, title, completed
	Descending bool
}

// Query of a task list.
type Query struct {
	ProjectID uuid.UUID // uuid.Nil: all projects in Projects
	Projects  []uuid.UUID
	Where     []Condition // all must hold; made from the filter language by Resolve
	Trashed   bool        // only the trash; otherwise only what is not in it
	Sort      Sort
	Limit     int
	After     *Cursor // keyset: continue behind this row
}

// Cursor is the sort value and id of the last row of a page. HTTP carries it as an opaque, checked text.
type Cursor struct {
	Sort  Sort
	Value string // canonical text of the sort value; "" is null, which sorts last
	ID    uuid.UUID
}

// Page of tasks; Next is nil on the last one.
type Page struct {
	Tasks []*Task
	Next  *Cursor
}

// ImportStore writes tasks with a history of their own times.
type ImportStore interface {
	// ImportTasks stores a batch of tasks with all their events (Seq and Version set), comments and relations in one
	// transaction, numbers them in the given order and calls Imported.Place. A task without a rank goes to the bottom, in
	// the given order; one with a rank keeps it, unless that is taken. A task whose Source exists in the project is left
	// out. It returns which were added. Parents and relations may name tasks of a later batch.
	ImportTasks(ctx context.Context, w Write, projectKey string, batch []Imported) (added []bool, err error)
	// KnownSources returns which of the external ids exist in the project.
	KnownSources(ctx context.Context, project uuid.UUID, sources []string) (map[string]bool, error)
}

// Imported is one task with its history, oldest event first.
type Imported struct {
	Task      *Task
	Events    []history.Event
	Comments  []Comment
	Relations []Relation // those that start at this task
}

// Place gives the task its number and rank and completes its first event.
func (i *Imported) Place(number int64, rank string) {
	i.Task.Number, i.Task.Rank = number, rank
	if len(i.Events) > 0 && i.Events[0].Kind == history.TaskCreated {
		i.Events[0].Changes = placed(i.Events[0].Changes, number, rank)
	}
}

// ExportReader reads what belongs to many tasks at once. Stores may have it beside Reader; exports are faster then.
type ExportReader interface {
	EventsOf(ctx context.Context, tasks []uuid.UUID) ([]history.Event, error) // by task and seq
	CommentsOf(ctx context.Context, tasks []uuid.UUID) ([]Comment, error)     // by creation
	RelationsOf(ctx context.Context, tasks []uuid.UUID) ([]Relation, error)   // those that start at the tasks
}
