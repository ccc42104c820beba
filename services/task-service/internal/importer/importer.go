// Package importer reads tasks with their history from files: CSV with a row per task, Jira changelogs with a row per
// change of status, and Tallyboard's own export. History is written as events at their own times, so that every statistic
// covers it.
//
// An import goes over its file twice. The file is copied to a temporary one first; the first pass checks its form and
// collects what must be known in advance, so that a malformed file changes nothing; the second pass converts and stores
// tasks in batches, each one transaction. Memory stays bounded whatever the file's size: changelog rows, which may come in
// any order, are grouped by an external merge sort. What grows with the number of tasks is a hash of 16 bytes each, and
// for an export, whose tasks name each other, their ids and ranks.
//
// A task's external id is its Source, which is unique in a project, and its id is made from that: importing a file twice
// adds nothing, and an import that was cut off can be run again.
package importer

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
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

// InvalidDates says what happens to tasks that finish or start before they were created.
type InvalidDates string

// The choices.
const (
	Refuse InvalidDates = "refuse" // the default: refused with the reason
	Clamp  InvalidDates = "clamp"  // created is put at the earliest of its dates, and counted
)

// Limits of files.
const (
	MaxRow       = 1 << 20  // bytes of one CSV row
	MaxElement   = 64 << 20 // bytes of one task in an export of Tallyboard
	MaxColumns   = 200
	MaxIssueRows = 10_000 // changes of one issue
	sortMemory   = 20_000 // changelog rows held in memory at once
	defaultBatch = 500    // tasks per transaction
	defaultList  = 100    // refused rows listed
)

// Projects is what an import needs to do with projects; project.Service has it.
type Projects interface {
	Project(ctx context.Context, key string) (*project.Project, error)
	AddStates(ctx context.Context, w project.Write, key string, in []project.NewState) (*project.Project, error)
	AddLabels(ctx context.Context, w project.Write, key string, in []project.NewLabel) (*project.Project, error)
	AddView(ctx context.Context, w project.Write, key string, in project.ViewInput) (project.View, error)
	ListViews(ctx context.Context, key string, viewer uuid.UUID) ([]project.View, error)
}

// Deps are what imports work with. Clock, Wake, TempDir and BatchSize may be left out.
type Deps struct {
	Store     task.ImportStore
	Reader    task.Reader
	Projects  Projects
	People    account.Store
	Clock     func() time.Time // nil: history.Now
	Wake      func()           // called after each batch; nil: nothing
	TempDir   string           // for copies of files; empty: os.TempDir()
	BatchSize int              // tasks per transaction; 0: 500
}

// Options of one import.
type Options struct {
	Format       Format
	DryRun       bool              // count and report, change nothing
	Columns      map[string]string // field → column name; overrides what is recognised by name
	DateFormat   string            // tried first: a Go layout, or one of YYYY MM DD hh mm ss; empty: see ParseDate
	Delimiter    rune              // between fields; 0: comma, semicolon or tab, as the header has
	Zone         *time.Location    // of dates and times without a zone; nil: UTC
	InvalidDates InvalidDates      // empty: Refuse
	MaxRefused   int               // refused rows listed in the report; 0: 100
	Progress     func(Progress)    // called after each batch, from the importing goroutine
}

// Progress of a running import.
type Progress struct {
	Rows      int64 `json:"rows"`      // converted
	TotalRows int64 `json:"totalRows"` // in the file; 0 while it is read for the first time
	Bytes     int64 `json:"bytes"`     // of the file, in the first pass
	Tasks     int64 `json:"tasks"`     // stored (in a dry run: understood)
}

// Refused is a row, or a task of several rows, that was not imported.
type Refused struct {
	Line   int64  `json:"line"` // 1-based line of the file where the row starts; in an export of Tallyboard the task's place
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
	Clamped       int64             `json:"clamped"` // tasks whose created date was put at their earliest date
	RefusedRows   int64             `json:"refusedRows"`
	Refused       []Refused         `json:"refused"`                 // the first MaxRefused
	People        []string          `json:"people"`                  // handles created
	States        []string          `json:"states"`                  // names created
	Labels        []string          `json:"labels"`                  // names created
	Columns       map[string]string `json:"columns,omitempty"`       // field → column used
	UnusedColumns []string          `json:"unusedColumns,omitempty"` // columns nothing was made of
}

// Importer imports files into projects.
type Importer struct{ d Deps }

// New returns an importer.
func New(d Deps) *Importer {
	if d.Clock == nil {
		d.Clock = history.Now
	}
	if d.Wake == nil {
		d.Wake = func() {}
	}
	if d.BatchSize <= 0 {
		d.BatchSize = defaultBatch
	}
	return &Importer{d: d}
}

// Import reads r to its end and adds its tasks to the project. A file that cannot be understood as a whole is
// apperr.Invalid, with the line, and nothing is changed; rows that cannot be imported are refused one by one, in the
// report. The report is valid, as far as the import came, also with an error. w.Key is not used: importing twice adds
// nothing anyway.
func (im *Importer) Import(ctx context.Context, w task.Write, projectKey string, r io.Reader, o Options) (Report, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.InvalidDates == "" {
		o.InvalidDates = Refuse
	}
	if o.InvalidDates != Refuse && o.InvalidDates != Clamp {
		return Report{}, apperr.InvalidField("invalidDates", "must be refuse or clamp")
	}
	if o.MaxRefused <= 0 {
		o.MaxRefused = defaultList
	}
	w.Key, w.IfVersion = "", 0
	run := &run{
		Importer: im, w: w, o: o,
		report: Report{DryRun: o.DryRun, Format: o.Format, Refused: []Refused{}, People: []string{}, States: []string{}, Labels: []string{}},
	}
	err := run.do(ctx, projectKey, r)
	return run.report, err
}

func (r *run) do(ctx context.Context, projectKey string, from io.Reader) error {
	p, err := r.d.Projects.Project(ctx, projectKey)
	if err != nil {
		return err
	}
	if err := p.Writable(); err != nil {
		return err
	}
	if err := r.prepare(ctx, p); err != nil {
		return err
	}
	var convert func(context.Context, *spool) error
	switch r.o.Format {
	case CSV:
		convert = r.csv
	case JiraChangelog:
		convert = r.changelog
	case Tallyboard:
		convert = r.tallyboard
	default:
		return apperr.InvalidField("format", "must be csv, jira-changelog or tallyboard")
	}
	file, err := r.spool(ctx, from)
	if err != nil {
		return err
	}
	defer file.close()
	if err := convert(ctx, file); err != nil {
		return err
	}
	return r.flush(ctx)
}
