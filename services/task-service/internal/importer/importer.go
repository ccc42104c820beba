// Package importer reads tasks with their history from files.
package importer

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Format of a file.
type Format string

// The formats.
const (
	CSV           Format = "csv"            // a row per task, with created and finished dates
	JiraChangelog Format = "jira-changelog" // a row per change of status
	Tallyboard    Format = "tallyboard"     // an export of Tallyboard
)

// InvalidDates says what happens to rows that finish before they were created.
type InvalidDates string

// The choices.
const (
	Refuse InvalidDates = "refuse" // the default: the row is refused with its reason
	Clamp  InvalidDates = "clamp"  // created is put at the finish, and counted
)

// Projects is what an import needs to do with projects; project.Service has it.
type Projects interface {
	Project(ctx context.Context, key string) (*project.Project, error)
	AddStates(ctx context.Context, w project.Write, key string, in []project.NewState) (*project.Project, error)
	AddLabels(ctx context.Context, w project.Write, key string, in []project.NewLabel) (*project.Project, error)
	AddView(ctx context.Context, w project.Write, key string, in project.ViewInput) (project.View, error)
	ListViews(ctx context.Context, key string, viewer uuid.UUID) ([]project.View, error)
}

// Deps are what imports work with.
type Deps struct {
	Store     task.ImportStore
	Reader    task.Reader
	Projects  Projects
	People    account.Store
	Clock     func() time.Time // nil: history.Now
	Wake      func()           // called after each batch
	TempDir   string           // for spilled rows; empty: os.TempDir()
	BatchSize int              // tasks per transaction; 0: 500
}

// Options of one import.
type Options struct {
	Format       Format
	DryRun       bool              // count and report, change nothing
	Columns      map[string]string // field → column name; overrides what is recognised by name
	DateFormat   string            // Go layout tried first; empty: those listed at ParseDate
	Zone         *time.Location    // of dates and times without a zone; nil: UTC
	InvalidDates InvalidDates
	MaxRefused   int            // refused rows listed in the report; 0: 100
	Progress     func(Progress) // called now and then, from the importing goroutine
}

// Progress of a running import.
type Progress struct {
	Rows  int64 `json:"rows"`  // read
	Bytes int64 `json:"bytes"` // read
	Tasks int64 `json:"tasks"` // stored (in a dry run: understood)
}

// Refused is a row, or a task of several rows, that was not imported.
type Refused struct {
	Line   int64  `json:"line"` // 1-based line of the file where the row starts
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason"`
}

// Report says what an import did or, in a dry run, would do.
type Report struct {
	DryRun        bool              `json:"dryRun"`
	Format        Format            `json:"format"`
	Rows          int64             `json:"rows"`
	Tasks         int64             `json:"tasks"`   // added
	Known         int64             `json:"known"`   // left out, because an earlier import added them
	Events        int64             `json:"events"`  // written with the added tasks
	Clamped       int64             `json:"clamped"` // rows whose created date was put at their finish
	RefusedRows   int64             `json:"refusedRows"`
	Refused       []Refused         `json:"refused"` // the first MaxRefused
	People        []string          `json:"people"`  // handles created
	States        []string          `json:"states"`  // names created
	Labels        []string          `json:"labels"`  // names created
	Columns       map[string]string `json:"columns"` // field → column used
	UnusedColumns []string          `json:"unusedColumns"`
}

// Importer imports files into projects.
type Importer struct{ d Deps }

func New(d Deps) *Importer { return &Importer{d: d} }

// Import reads r to its end (Tallyboard JSON and changelogs are spilled to a temporary file when large).
// w.Key is ignored: importing twice adds nothing anyway. The report is valid, as far as the import came, also with an error.
func (im *Importer) Import(ctx context.Context, w task.Write, projectKey string, r io.Reader, o Options) (Report, error) {
	panic("x")
}
