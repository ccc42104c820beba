package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/exporter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/rank"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// tallyboard imports an export of Tallyboard: tasks with their whole history, comments and relations, the states, labels
// and people they need, and views. Names that exist in the project are used; states of another category than theirs get
// the category into their name. Settings of the project itself and members stay as they are. Into an empty project,
// numbers and order come out as they were.
//
// Unlike the rows of other formats, tasks of an export depend on each other, so that a damaged one refuses the file: a
// pass that changes nothing converts everything before the first task is stored.
func (r *run) tallyboard(ctx context.Context, s *spool) error {
	doc, err := r.scan(ctx, s)
	if err != nil {
		return err
	}
	r.total = int64(len(doc.tasks))
	if !r.o.DryRun {
		check := *r
		check.o.DryRun, check.o.Progress, check.people = true, nil, r.people.clone()
		if err := check.restore(ctx, s, doc, func(task.Imported) error { return nil }); err != nil {
			return err
		}
	}
	if err := r.restore(ctx, s, doc, func(i task.Imported) error { return r.put(ctx, i) }); err != nil {
		return err
	}
	return r.views(ctx, doc)
}

// scanned is what is known of an export before its tasks are converted.
type scanned struct {
	project project.Project
	people  map[uuid.UUID]exporter.Person
	views   []project.View
	tasks   map[uuid.UUID]*known
}

// known is a task of the export: what the conversion of others needs.
type known struct {
	id     uuid.UUID // the new one
	source string
	rank   string // of then; later the new one
}

// document walks an export and hands over its members and, one by one, its tasks.
func (s *spool) document(member func(name string, dec *json.Decoder) error, each func(n int64, t exporter.Task) error) error {
	from, err := s.open()
	if err != nil {
		return err
	}
	ration := &rationed{from: from, left: MaxElement}
	dec := json.NewDecoder(ration)
	damaged := func(err error, where string) error {
		var e *apperr.Error
		switch {
		case errors.As(err, &e):
			return err
		case errors.Is(err, errTooLong):
			return apperr.New(apperr.Invalid, "The file is no export of Tallyboard: %s is larger than %d bytes.", where, MaxElement)
		}
		return apperr.Wrap(err, apperr.Invalid, "The file is no complete export of Tallyboard: %s, at byte %d.", where, dec.InputOffset())
	}
	if err := delimiter(dec, '{'); err != nil {
		return damaged(err, "it does not begin with an object")
	}
	for dec.More() {
		ration.left = MaxElement
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return damaged(err, "a member's name is broken")
		}
		if name != "tasks" {
			if err := member(name, dec); err != nil {
				return damaged(err, fmt.Sprintf("the member %q cannot be read", shorten(name)))
			}
			continue
		}
		if err := taskList(dec, ration, damaged, each); err != nil {
			return err
		}
	}
	if err := delimiter(dec, '}'); err != nil {
		return damaged(err, "it has no end")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return damaged(err, "there is something behind its end")
	}
	return nil
}

// taskList hands over the tasks of the list one by one.
func taskList(dec *json.Decoder, ration *rationed, damaged func(error, string) error, each func(int64, exporter.Task) error) error {
	if err := delimiter(dec, '['); err != nil {
		return damaged(err, "tasks is no list")
	}
	for n := int64(1); dec.More(); n++ {
		ration.left = MaxElement
		var t exporter.Task
		where := fmt.Sprintf("task %d of the list cannot be read", n)
		if err := dec.Decode(&t); err != nil {
			return damaged(err, where)
		}
		if t.Task == nil || t.Task.ID == uuid.Nil {
			return damaged(errors.New("importer: no task"), where)
		}
		if err := each(n, t); err != nil {
			return err
		}
	}
	if err := delimiter(dec, ']'); err != nil {
		return damaged(err, "the list of tasks has no end")
	}
	return nil
}

func delimiter(dec *json.Decoder, want json.Delim) error {
	t, err := dec.Token()
	if err == nil && t != want {
		err = fmt.Errorf("importer: %v instead of %v", t, want)
	}
	return err
}

// scan is the first pass: form, names, and whether parents and relations go round in circles.
func (r *run) scan(ctx context.Context, s *spool) (*scanned, error) {
	doc := &scanned{people: map[uuid.UUID]exporter.Person{}, tasks: map[uuid.UUID]*known{}}
	var header exporter.Header
	var people []exporter.Person
	links := graph{}
	var order []*known
	err := s.document(func(name string, dec *json.Decoder) error {
		switch name {
		case "tallyboard":
			return dec.Decode(&header)
		case "project":
			return dec.Decode(&doc.project)
		case "people":
			return dec.Decode(&people)
		case "views":
			return dec.Decode(&doc.views)
		}
		var skipped json.RawMessage // of a later minor version
		return dec.Decode(&skipped)
	}, func(n int64, t exporter.Task) error {
		if doc.tasks[t.Task.ID] != nil {
			return apperr.New(apperr.Invalid, "Task %d of the list is there twice (%s).", n, t.Task.ID)
		}
		k := &known{source: t.Task.Source, rank: t.Task.Rank}
		if k.source == "" {
			k.source = "tallyboard:" + t.Task.ID.String()
		}
		k.id = TaskID(r.project.ID, k.source, t.Task.Created)
		doc.tasks[t.Task.ID] = k
		order = append(order, k)
		if t.Task.ParentID != nil {
			links.add("parent", t.Task.ID, *t.Task.ParentID)
		}
		for _, l := range t.Relations {
			if l.Kind != task.Relates {
				links.add(string(l.Kind), l.From, l.To)
			}
		}
		return ctx.Err()
	})
	switch {
	case err != nil:
		return nil, err
	case header.Format < 1:
		return nil, apperr.New(apperr.Invalid, "The file is no export of Tallyboard: its format has no version.")
	case header.Format > exporter.Version:
		return nil, apperr.New(apperr.Invalid, "The file was written by a newer Tallyboard (format %d, this one reads %d).", header.Format, exporter.Version)
	}
	if kind := links.circle(task.MaxDepth); kind != "" {
		return nil, apperr.New(apperr.Invalid, "The file is damaged: relations of the kind %q go round in a circle, or deeper than allowed.", kind)
	}
	for _, p := range people {
		if id, err := uuid.Parse(p.ID); err == nil {
			doc.people[id] = p
		}
	}
	return doc, r.rerank(ctx, order)
}

// rerank gives the tasks new ranks at the bottom of the project, in the order of the old ones.
func (r *run) rerank(ctx context.Context, tasks []*known) error {
	last := ""
	for _, trashed := range []bool{false, true} {
		q := task.Query{ProjectID: r.project.ID, Trashed: trashed, Sort: task.Sort{Field: "rank", Descending: true}, Limit: 1}
		page, err := r.d.Reader.ListTasks(ctx, q)
		if err != nil {
			return err
		}
		for _, t := range page.Tasks {
			last = max(last, t.Rank)
		}
	}
	slices.SortStableFunc(tasks, func(a, b *known) int { return strings.Compare(a.rank, b.rank) })
	for _, t := range tasks {
		next, err := rank.After(nil, last)
		if err != nil {
			return err
		}
		t.rank, last = next, next
	}
	return nil
}

// restore converts every task; what it stores is up to put.
func (r *run) restore(ctx context.Context, s *spool, doc *scanned, put func(task.Imported) error) error {
	m, err := r.mapping(ctx, doc)
	if err != nil {
		return err
	}
	skip := func(_ string, dec *json.Decoder) error {
		var skipped json.RawMessage
		return dec.Decode(&skipped)
	}
	return s.document(skip, func(n int64, t exporter.Task) error {
		r.report.Rows++
		if doc.project.ID == r.project.ID { // into the project it came from: it may still be there
			switch _, err := r.d.Reader.Task(ctx, task.Ref{ID: t.Task.ID}); {
			case err == nil:
				r.report.Known++
				return nil
			case !apperr.Is(err, apperr.NotFound):
				return err
			}
		}
		i, err := m.convert(ctx, t)
		if e, ok := apperr.As(err); ok && e.Code == apperr.Invalid {
			return apperr.Wrap(err, apperr.Invalid, "The file is damaged: task %d of the list, %s: %s", n, shorten(t.Task.Key()), reason(e))
		}
		if err != nil {
			return err
		}
		return put(i)
	})
}

// views saves the export's views under names that are free.
func (r *run) views(ctx context.Context, doc *scanned) error {
	have, err := r.d.Projects.ListViews(ctx, r.project.Key, r.w.Actor)
	if err != nil {
		return err
	}
	for _, v := range doc.views {
		if r.o.DryRun || slices.ContainsFunc(have, func(h project.View) bool { return project.Fold(h.Name) == project.Fold(v.Name) }) {
			continue
		}
		in := project.ViewInput{Name: v.Name, Filter: v.Filter, Layout: v.Layout, GroupBy: v.GroupBy, Sort: v.Sort, Shared: v.Shared}
		if _, err := r.d.Projects.AddView(ctx, r.w, r.project.Key, in); err != nil {
			if e, ok := apperr.As(err); ok && e.Code == apperr.Invalid || apperr.Is(err, apperr.Unprocessable) {
				r.refuse(0, 0, v.Name, "view: "+reason(e))
				continue
			}
			return err
		}
	}
	return nil
}

// graph of relations by kind, to find circles in.
type graph map[string]map[uuid.UUID][]uuid.UUID

func (g graph) add(kind string, from, to uuid.UUID) {
	if g[kind] == nil {
		g[kind] = map[uuid.UUID][]uuid.UUID{}
	}
	g[kind][from] = append(g[kind][from], to)
}

// circle returns a kind that has one, or whose parents are deeper than allowed; "" if there is none. It takes away nodes
// that point nowhere, and then those that pointed only there (Kahn's algorithm); what is left over goes round.
func (g graph) circle(depth int) string {
	for kind, edges := range g {
		open := make(map[uuid.UUID]int, len(edges)) // edges to nodes that have not been taken away
		back := map[uuid.UUID][]uuid.UUID{}
		level := map[uuid.UUID]int{}
		var free []uuid.UUID
		for from, tos := range edges {
			for _, to := range tos {
				if _, points := edges[to]; points {
					open[from]++
					back[to] = append(back[to], from)
				}
			}
			if open[from] == 0 {
				free, level[from] = append(free, from), 1
			}
		}
		taken := 0
		for ; taken < len(free); taken++ {
			for _, from := range back[free[taken]] {
				level[from] = max(level[from], level[free[taken]]+1)
				if open[from]--; open[from] == 0 {
					free = append(free, from)
				}
			}
			if kind == "parent" && level[free[taken]] > depth {
				return kind
			}
		}
		if taken < len(edges) {
			return kind
		}
	}
	return ""
}

func (d directory) clone() directory {
	out := newDirectory(nil)
	maps.Copy(out.byHandle, d.byHandle)
	maps.Copy(out.byName, d.byName)
	return out
}

// isNull reports whether a value of a change is empty.
func isNull(v json.RawMessage) bool { return len(v) == 0 || bytes.Equal(v, []byte("null")) }
