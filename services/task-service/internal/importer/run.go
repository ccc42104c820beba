package importer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// run is one import under way.
type run struct {
	*Importer
	w      task.Write
	o      Options
	now    time.Time
	report Report
	total  int64 // rows counted in the first pass

	project *project.Project // as it is, or in a dry run as it would be
	people  directory
	batch   []task.Imported
}

// stateAt is an entry into a state.
type stateAt struct {
	name     string
	category project.Category // of a state that has to be created; empty: guessed by name
	at       time.Time
}

// record is a task as a CSV file tells it.
type record struct {
	line        int64
	rows        int64 // of the file it was made of
	source      string
	title       string
	description string
	created     time.Time
	initial     *stateAt // nil: where new tasks begin
	entries     []stateAt
	assignees   []string
	labels      []string
	priority    task.Priority
	estimate    *float64
	start, due  task.Date
	clamped     bool
}

// refuse lists a row in the report; rows counts how many of the file it stands for.
func (r *run) refuse(line, rows int64, id, reason string) {
	r.report.RefusedRows += rows
	if len(r.report.Refused) < r.o.MaxRefused {
		r.report.Refused = append(r.report.Refused, Refused{Line: line, ID: shorten(id), Reason: reason})
	}
}

// TaskID returns the id of an imported task: a UUIDv7 of its creation, whose random part is a hash of project and
// source, so that a second import of the file finds the same.
func TaskID(projectID uuid.UUID, source string, created time.Time) uuid.UUID {
	sum := sha256.Sum256(append(append([]byte("task\x00"), projectID[:]...), source...))
	var id uuid.UUID
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(created.UnixMilli(), 0)))
	copy(id[:6], ms[2:])
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// add makes the task of a record and puts it into the batch.
func (r *run) add(ctx context.Context, rec record) error {
	if err := r.ensureStates(ctx, rec); err != nil {
		return r.refuseFor(rec, err)
	}
	in, err := r.newTask(ctx, rec)
	if err != nil {
		return r.refuseFor(rec, err)
	}
	env := task.Env{
		Project: r.project, Actor: r.w.Actor, Now: rec.created, Recorded: r.now, Known: func(uuid.UUID) bool { return true },
	}
	t, err := task.MakeImported(env, in, TaskID(r.project.ID, rec.source, rec.created), rec.source)
	if err != nil {
		return r.refuseFor(rec, err)
	}
	for _, e := range rec.entries {
		s, _ := r.project.StateNamed(e.name) // ensured
		env.Now = e.at
		if _, err := t.Change(env, task.Patch{State: &s.ID}, ""); err != nil {
			return r.refuseFor(rec, err)
		}
	}
	if rec.clamped {
		r.report.Clamped++
	}
	return r.put(ctx, task.Imported{Task: t, Events: t.TakePending()})
}

// refuseFor turns a refusal of the domain into a line of the report; other errors end the import.
func (r *run) refuseFor(rec record, err error) error {
	e, ok := apperr.As(err)
	if !ok || e.Code != apperr.Invalid && e.Code != apperr.Unprocessable {
		return err
	}
	r.refuse(rec.line, rec.rows, rec.source, reason(e))
	return nil
}

func reason(e *apperr.Error) string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Name + " " + f.Message
	}
	return strings.Join(parts, "; ")
}

// newTask resolves the record's names, and creates those that do not exist.
func (r *run) newTask(ctx context.Context, rec record) (task.New, error) {
	in := task.New{
		Title: rec.title, Description: rec.description, Priority: rec.priority, Estimate: rec.estimate, Start: rec.start, Due: rec.due,
	}
	if rec.initial != nil {
		s, _ := r.project.StateNamed(rec.initial.name) // ensured
		in.State = s.ID
	}
	for _, name := range rec.assignees {
		id, err := r.person(ctx, name)
		if err != nil {
			return in, err
		}
		in.Assignees = append(in.Assignees, id)
	}
	if err := r.ensureLabels(ctx, rec.labels); err != nil {
		return in, err
	}
	for _, name := range rec.labels {
		l, _ := r.project.LabelNamed(name) // ensured
		in.Labels = append(in.Labels, l.ID)
	}
	return in, nil
}

// put adds to the batch and stores a full one.
func (r *run) put(ctx context.Context, i task.Imported) error {
	r.batch = append(r.batch, i)
	if len(r.batch) < r.d.BatchSize {
		return nil
	}
	return r.flush(ctx)
}

// flush stores the batch in one transaction.
func (r *run) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	batch := r.batch
	r.batch = nil
	if len(batch) > 0 {
		sources := make([]string, len(batch))
		for i, b := range batch {
			sources[i] = b.Task.Source
		}
		known, err := r.d.Store.KnownSources(ctx, r.project.ID, sources)
		if err != nil {
			return err
		}
		fresh := batch[:0]
		for _, b := range batch {
			if known[b.Task.Source] {
				r.report.Known++
			} else {
				fresh = append(fresh, b)
			}
		}
		if err := r.store(ctx, fresh); err != nil {
			return err
		}
	}
	if r.o.Progress != nil {
		r.o.Progress(Progress{Rows: r.report.Rows, TotalRows: r.total, Tasks: r.report.Tasks})
	}
	return nil
}

func (r *run) store(ctx context.Context, fresh []task.Imported) error {
	if len(fresh) == 0 {
		return nil
	}
	added := make([]bool, len(fresh))
	if r.o.DryRun {
		for i := range added {
			added[i] = true
		}
	} else {
		var err error
		if added, err = r.d.Store.ImportTasks(ctx, r.w, r.project.Key, fresh); err != nil {
			return err
		}
		r.d.Wake()
	}
	for i, b := range fresh {
		if i < len(added) && added[i] {
			r.report.Tasks++
			r.report.Events += int64(len(b.Events))
		} else {
			r.report.Known++ // added by somebody else in between
		}
	}
	return nil
}

// prepare reads what exists.
func (r *run) prepare(ctx context.Context, p *project.Project) error {
	r.project, r.now = p, r.d.Clock()
	if r.now.IsZero() {
		r.now = history.Now()
	}
	people, err := r.d.People.People(ctx)
	if err != nil {
		return err
	}
	r.people = newDirectory(people)
	return nil
}
