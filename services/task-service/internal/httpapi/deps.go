package httpapi

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Tasks are the use cases of tasks; *task.Service has them.
type Tasks interface {
	TaskReader
	TaskEditor
	TaskLinks
	History
}

// TaskReader reads tasks.
type TaskReader interface {
	Get(ctx context.Context, ref task.Ref) (*task.Task, error)
	List(ctx context.Context, in task.ListInput) (task.Page, error)
	Board(ctx context.Context, in task.BoardInput) (task.Board, error)
	Details(ctx context.Context, ref task.Ref) (*task.Task, task.Details, error)
	Progress(ctx context.Context, parents []uuid.UUID) (map[uuid.UUID]task.Progress, error)
}

// TaskEditor creates and changes tasks. replayed says that the idempotency key had been used for the same request.
type TaskEditor interface {
	Create(ctx context.Context, w task.Write, projectKey string, in task.New) (t *task.Task, replayed bool, err error)
	ParseQuick(ctx context.Context, projectKey, text string, v task.Viewer) (task.QuickPreview, error)
	Change(ctx context.Context, w task.Write, ref task.Ref, ch task.Patch) (t *task.Task, replayed bool, err error)
	Move(ctx context.Context, w task.Write, ref task.Ref, m task.Move) (t *task.Task, replayed bool, err error)
	Trash(ctx context.Context, w task.Write, ref task.Ref) (t *task.Task, replayed bool, err error)
	Restore(ctx context.Context, w task.Write, ref task.Ref) (t *task.Task, replayed bool, err error)
	Bulk(ctx context.Context, w task.Write, projectKey string, b task.BulkEdit) (ts []*task.Task, replayed bool, err error)
}

// TaskLinks are comments and relations.
type TaskLinks interface {
	AddComment(ctx context.Context, w task.Write, ref task.Ref, body string) (c task.Comment, replayed bool, err error)
	EditComment(ctx context.Context, w task.Write, ref task.Ref, id uuid.UUID, body string) (c task.Comment, replayed bool, err error)
	RemoveComment(ctx context.Context, w task.Write, ref task.Ref, id uuid.UUID) (replayed bool, err error)
	Relate(ctx context.Context, w task.Write, ref task.Ref, kind string, other task.Ref) (t *task.Task, replayed bool, err error)
	Unrelate(ctx context.Context, w task.Write, ref task.Ref, kind string, other task.Ref) (t *task.Task, replayed bool, err error)
}

// History reads events.
type History interface {
	History(ctx context.Context, ref task.Ref, beforeSeq int64, limit int) ([]history.Event, error)
	Events(ctx context.Context, projectID uuid.UUID, after int64, limit int) ([]history.Event, error)
	LastPos(ctx context.Context) (int64, error)
}

// Projects are the use cases of projects and views; *project.Service has them.
type Projects interface {
	ProjectEditor
	ProjectSettings
	Views
}

// ProjectEditor reads, creates and changes projects. Recent may be a second old and must not be changed.
type ProjectEditor interface {
	Get(ctx context.Context, key string) (*project.Project, error)
	Recent(ctx context.Context, key string) (*project.Project, error)
	List(ctx context.Context, archived bool) ([]*project.Project, error)
	Create(ctx context.Context, w project.Write, in project.New) (*project.Project, error)
	Change(ctx context.Context, w project.Write, key string, ch project.Patch) (*project.Project, error)
}

// ProjectSettings are states, labels and members.
type ProjectSettings interface {
	AddState(ctx context.Context, w project.Write, key string, in project.NewState) (*project.Project, project.State, error)
	ChangeState(ctx context.Context, w project.Write, key string, id uuid.UUID, ch project.StatePatch) (*project.Project, project.State, error)
	ArchiveState(ctx context.Context, w project.Write, key string, id uuid.UUID) (*project.Project, error)
	AddLabel(ctx context.Context, w project.Write, key string, in project.NewLabel) (*project.Project, project.Label, error)
	ChangeLabel(ctx context.Context, w project.Write, key string, id uuid.UUID, ch project.LabelPatch) (*project.Project, project.Label, error)
	RemoveLabel(ctx context.Context, w project.Write, key string, id uuid.UUID) (*project.Project, error)
	SetMember(ctx context.Context, w project.Write, key string, person uuid.UUID, role string) (*project.Project, error)
	RemoveMember(ctx context.Context, w project.Write, key string, person uuid.UUID) (*project.Project, error)
}

// Views are saved views.
type Views interface {
	ListViews(ctx context.Context, key string, viewer uuid.UUID) ([]project.View, error)
	AddView(ctx context.Context, w project.Write, key string, in project.ViewInput) (project.View, error)
	ReplaceView(ctx context.Context, w project.Write, ref project.ViewRef, in project.ViewInput) (project.View, error)
	RemoveView(ctx context.Context, w project.Write, ref project.ViewRef) error
}

// Importer reads files into projects; *importer.Importer is one.
type Importer interface {
	Import(ctx context.Context, w task.Write, projectKey string, r io.Reader, o importer.Options) (importer.Report, error)
}

// Exporter writes projects to files; *exporter.Exporter is one.
type Exporter interface {
	JSON(ctx context.Context, w io.Writer, projectKey string, viewer uuid.UUID) error
	CSV(ctx context.Context, w io.Writer, projectKey string) error
}

// FromNow as the position to subscribe behind means: only what happens from now on.
const FromNow int64 = -1

// Feed hands out subscriptions to what happens. The hub of package live is one, by an adapter of the wiring.
type Feed interface {
	// Subscribe opens a subscription to one project's events behind a position or FromNow. It fails with
	// apperr.Unavailable where there is no room, and with apperr.Gone for a position this history has not reached.
	Subscribe(ctx context.Context, project uuid.UUID, after int64) (Subscription, error)
}

// Subscription is one reader's place in the history of a project. Only one goroutine may use it. Calling Next says that what
// it returned before has been written.
type Subscription interface {
	// Start returns the position behind which it began.
	Start() int64
	// Next waits for what comes next; it fails with ctx's error or when the feed has ended.
	Next(ctx context.Context) (Update, error)
	Close()
}

// Update is either a changed state of the feed or events in order of position.
type Update struct {
	State  *FeedState // nil: unchanged
	Events []history.Event
	// Spans are those in which Events are delivered, by index; nil for an event without, and where none has one.
	Spans []trace.Span
}

// FeedState says whether events arrive as they happen, and since when it has been so.
type FeedState struct {
	Live  bool
	Since time.Time
}
