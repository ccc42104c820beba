// Package exporter writes a project as JSON, complete and re-importable, or its tasks as CSV. Both are streamed: memory
// holds a page of tasks, whatever the project's size. An export is no snapshot: a task is as it was when its page was read.
package exporter

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

const eventPage = 1000 // events of a task read at once

// Views is what an export needs of views; project.ViewStore has it.
type Views interface {
	Views(ctx context.Context, project uuid.UUID, viewer uuid.UUID) ([]project.View, error)
}

// Deps are what exports read from. If Reader also has task.ExportReader, that is used.
type Deps struct {
	Reader   task.Reader
	History  task.HistoryReader
	Projects task.Projects
	Views    Views
	People   account.Store
	Clock    func() time.Time // nil: history.Now
}

// Exporter exports projects.
type Exporter struct{ d Deps }

// New returns an exporter.
func New(d Deps) *Exporter {
	if d.Clock == nil {
		d.Clock = history.Now
	}
	return &Exporter{d: d}
}

// JSON streams the project to w; see Header for the document. apperr.NotFound comes before the first byte; a later error
// leaves an incomplete document, which no import accepts.
func (ex *Exporter) JSON(ctx context.Context, w io.Writer, projectKey string, viewer uuid.UUID) error {
	p, err := ex.d.Projects.Project(ctx, projectKey)
	if err != nil {
		return err
	}
	people, err := ex.d.People.People(ctx)
	if err != nil {
		return err
	}
	views, err := ex.d.Views.Views(ctx, p.ID, viewer)
	if err != nil {
		return err
	}
	out := &document{w: bufio.NewWriterSize(w, 64<<10)}
	out.member("{\n", "tallyboard", Header{Format: Version, Exported: ex.d.Clock()})
	out.member(",\n", "project", p)
	out.member(",\n", "people", exported(people))
	out.member(",\n", "views", nonNil(views))
	out.text(",\n\"tasks\": [")
	first := true
	err = ex.pages(ctx, p.ID, true, func(page []*task.Task) error {
		full, err := ex.complete(ctx, page)
		if err != nil {
			return err
		}
		for _, t := range full {
			if !first {
				out.text(",")
			}
			first = false
			out.text("\n")
			out.value(t)
		}
		return out.err
	})
	if err != nil {
		return err
	}
	out.text("\n]}\n")
	return out.flush()
}

func exported(people []account.Person) []Person {
	out := make([]Person, len(people))
	for i, p := range people {
		out[i] = Person{ID: p.ID.String(), Handle: p.Handle, Name: p.Name, Kind: p.Kind}
	}
	return out
}

func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// document writes JSON and keeps the first error.
type document struct {
	w   *bufio.Writer
	err error
}

func (d *document) text(s string) {
	if d.err == nil {
		_, d.err = d.w.WriteString(s)
	}
}

func (d *document) value(v any) {
	if d.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = d.w.Write(b)
	}
	d.err = err
}

func (d *document) member(before, name string, v any) {
	d.text(before + `"` + name + `": `)
	d.value(v)
}

func (d *document) flush() error {
	if d.err == nil {
		d.err = d.w.Flush()
	}
	if d.err != nil {
		return fmt.Errorf("exporter: write: %w", d.err)
	}
	return nil
}

// pages hands over all tasks by number, trashed ones only if asked for.
func (ex *Exporter) pages(ctx context.Context, projectID uuid.UUID, trashed bool, fn func([]*task.Task) error) error {
	lists := []*stream{{ex: ex, q: query(projectID, false)}}
	if trashed {
		lists = append(lists, &stream{ex: ex, q: query(projectID, true)})
	}
	for {
		var page []*task.Task
		for len(page) < task.MaxPage {
			var least *stream
			for _, s := range lists {
				if err := s.fill(ctx); err != nil {
					return err
				}
				if len(s.held) > 0 && (least == nil || s.held[0].Number < least.held[0].Number) {
					least = s
				}
			}
			if least == nil {
				break
			}
			page, least.held = append(page, least.held[0]), least.held[1:]
		}
		if len(page) == 0 {
			return nil
		}
		if err := fn(page); err != nil {
			return err
		}
	}
}

func query(projectID uuid.UUID, trashed bool) task.Query {
	return task.Query{ProjectID: projectID, Trashed: trashed, Sort: task.Sort{Field: "number"}, Limit: task.MaxPage}
}

// stream reads a list page by page.
type stream struct {
	ex   *Exporter
	q    task.Query
	held []*task.Task
	done bool
}

func (s *stream) fill(ctx context.Context) error {
	if len(s.held) > 0 || s.done {
		return nil
	}
	page, err := s.ex.d.Reader.ListTasks(ctx, s.q)
	if err != nil {
		return err
	}
	s.held, s.q.After, s.done = page.Tasks, page.Next, page.Next == nil
	return nil
}

// complete reads what belongs to a page of tasks.
func (ex *Exporter) complete(ctx context.Context, page []*task.Task) ([]Task, error) {
	if bulk, ok := ex.d.Reader.(task.ExportReader); ok {
		return bulkComplete(ctx, bulk, page)
	}
	out := make([]Task, len(page))
	for i, t := range page {
		d, err := ex.d.Reader.Details(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		out[i] = Task{Task: t, Comments: d.Comments}
		for _, r := range d.Relations {
			if r.From == t.ID {
				out[i].Relations = append(out[i].Relations, r)
			}
		}
		for before := int64(0); before != 1; { // 1: nothing is older
			events, err := ex.d.History.TaskHistory(ctx, t.ID, before, eventPage)
			if err != nil {
				return nil, err
			}
			if len(events) == 0 {
				break
			}
			out[i].Events = append(out[i].Events, events...)
			before = events[len(events)-1].Seq
		}
		slices.Reverse(out[i].Events)
	}
	return out, nil
}

func bulkComplete(ctx context.Context, bulk task.ExportReader, page []*task.Task) ([]Task, error) {
	ids, out, at := make([]uuid.UUID, len(page)), make([]Task, len(page)), make(map[uuid.UUID]*Task, len(page))
	for i, t := range page {
		ids[i], out[i].Task, at[t.ID] = t.ID, t, &out[i]
	}
	events, err := bulk.EventsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if t := at[e.AggregateID]; t != nil {
			t.Events = append(t.Events, e)
		}
	}
	comments, err := bulk.CommentsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, c := range comments {
		if t := at[c.TaskID]; t != nil {
			t.Comments = append(t.Comments, c)
		}
	}
	relations, err := bulk.RelationsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range relations {
		if t := at[r.From]; t != nil {
			t.Relations = append(t.Relations, r)
		}
	}
	return out, nil
}
