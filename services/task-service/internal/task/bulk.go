package task

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// Bulk changes many tasks of one project in one transaction: all, or none with an apperr.Unprocessable whose fields name
// each task that refused ("tasks[WEB-12]") and why.
func (s *Service) Bulk(ctx context.Context, w Write, projectKey string, b BulkEdit) (ts []*Task, replayed bool, err error) {
	if err := b.check(); err != nil {
		return nil, false, err
	}
	refs, err := s.bulkRefs(ctx, projectKey, b)
	if err != nil {
		return nil, false, err
	}
	var lists [][]uuid.UUID
	if b.Patch != nil {
		lists = b.Patch.people()
	}
	known, err := s.known(ctx, lists...)
	if err != nil {
		return nil, false, err
	}
	refused := refusals{refs: refs}
	ts, replayed, err = s.d.Writer.UpdateTasks(ctx, w, refs, func(ctx context.Context, tx Tx, t *Task) error {
		env := s.env(tx.Project(), w, known)
		if !strings.EqualFold(env.Project.Key, projectKey) {
			return apperr.New(apperr.NotFound, "There is no task %s in project %s.", t.Key(), strings.ToUpper(projectKey))
		}
		return refused.collect(t, func() error {
			switch {
			case b.Trash:
				return t.Trash(env)
			case b.Restore:
				return t.Restore(env)
			}
			return s.change(ctx, tx, env, t, *b.Patch, nil)
		})
	})
	if err == nil && !replayed {
		s.d.Wake()
	}
	return ts, replayed, err
}

func (b BulkEdit) check() error {
	deeds := 0
	for _, is := range []bool{b.Patch != nil, b.Trash, b.Restore} {
		if is {
			deeds++
		}
	}
	switch {
	case deeds != 1:
		return apperr.InvalidField("change", "exactly one of change, trash and restore must be given")
	case (len(b.Refs) > 0) == (b.Filter != ""):
		return apperr.InvalidField("tasks", "exactly one of tasks and filter must name the tasks")
	case len(b.Refs) > MaxBulk:
		return apperr.InvalidField("tasks", "names %d tasks; at most %d can be changed at once", len(b.Refs), MaxBulk)
	}
	return nil
}

// bulkRefs returns each task once, in the order given or of rank.
func (s *Service) bulkRefs(ctx context.Context, projectKey string, b BulkEdit) ([]Ref, error) {
	if len(b.Refs) > 0 {
		return s.distinct(ctx, b.Refs)
	}
	q, err := s.query(ctx, ListInput{Project: projectKey, Filter: b.Filter, Trashed: b.Restore, Viewer: b.Viewer})
	if err != nil {
		return nil, err
	}
	q.Limit = MaxPage
	var out []Ref
	for {
		page, err := s.d.Reader.ListTasks(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Tasks {
			out = append(out, Ref{ID: t.ID})
		}
		if len(out) > MaxBulk {
			return nil, apperr.New(apperr.Unprocessable, "The filter matches more than %d tasks, which is the most that can be changed at once.", MaxBulk)
		}
		if page.Next == nil {
			return out, nil
		}
		q.After = page.Next
	}
}

// distinct drops refs given twice. Ids and keys side by side could name the same task, so keys are looked up then.
func (s *Service) distinct(ctx context.Context, refs []Ref) ([]Ref, error) {
	isID := func(r Ref) bool { return r.ID != uuid.Nil }
	isKey := func(r Ref) bool { return r.ID == uuid.Nil }
	mixed := slices.ContainsFunc(refs, isID) && slices.ContainsFunc(refs, isKey)
	out := make([]Ref, 0, len(refs))
	seen := make(map[Ref]bool, len(refs))
	for _, r := range refs {
		if isID(r) {
			r = Ref{ID: r.ID}
		} else {
			r.Key = strings.ToUpper(r.Key)
			if mixed {
				t, err := s.d.Reader.Task(ctx, r)
				if err != nil {
					return nil, err
				}
				r = Ref{ID: t.ID}
			}
		}
		if !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out, nil
}

// refusals collects why tasks refused, so that people see all of it at once. The transaction is refused at the last task.
type refusals struct {
	refs   []Ref
	fields []apperr.Field
}

// collect runs one task's change. Only refusals of the domain are collected; anything else ends the transaction.
func (r *refusals) collect(t *Task, change func() error) error {
	if r.refs[0].names(t) { // also where the store runs the transaction again
		r.fields = nil
	}
	if err := change(); err != nil {
		switch apperr.CodeOf(err) {
		case apperr.Invalid, apperr.Unprocessable, apperr.Conflict, apperr.Forbidden:
		default:
			return err
		}
		r.fields = append(r.fields, apperr.Field{Name: "tasks[" + t.Key() + "]", Message: message(err)})
	}
	if len(r.fields) > 0 && r.refs[len(r.refs)-1].names(t) {
		e := apperr.New(apperr.Unprocessable, "Nothing was changed, because %s.", plural(len(r.fields)))
		e.Fields = r.fields
		return e
	}
	return nil
}

func plural(n int) string {
	if n == 1 {
		return "one task refused"
	}
	return fmt.Sprintf("%d tasks refused", n)
}

// message returns what people may see of a refusal.
func message(err error) string {
	e, _ := apperr.As(err) // CodeOf has found one
	if len(e.Fields) == 0 {
		return e.Message
	}
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Name + ": " + f.Message
	}
	return strings.Join(parts, "; ")
}
