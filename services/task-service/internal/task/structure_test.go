package task_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func TestParents(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := context.Background()
	chain := []*task.Task{r.create(task.New{Title: "0"})}
	for range task.MaxDepth {
		chain = append(chain, r.create(task.New{Title: "x", Parent: chain[len(chain)-1].ID}))
	}
	_, _, err := r.Create(ctx, r.by(), "WEB", task.New{Title: "too deep", Parent: chain[task.MaxDepth].ID})
	wantCode(t, err, apperr.Unprocessable, "levels")
	set := func(child, parent uuid.UUID) error {
		_, _, err := r.Change(ctx, r.by(), task.Ref{ID: child}, task.Patch{Parent: &parent})
		return err
	}
	wantCode(t, set(chain[0].ID, chain[2].ID), apperr.Unprocessable, "below this task")
	wantCode(t, set(chain[0].ID, chain[0].ID), apperr.Unprocessable, "own parent")
	wantCode(t, set(chain[0].ID, uuid.New()), apperr.Unprocessable, "no task")
	other := r.create(task.New{Title: "other"})
	wantCode(t, set(chain[0].ID, other.ID), apperr.Unprocessable, "levels")
	if err := set(chain[1].ID, other.ID); err != nil {
		t.Error(err)
	}
	if err := set(chain[1].ID, uuid.Nil); err != nil {
		t.Error(err)
	}
	if _, _, err := r.Trash(ctx, r.by(), task.Ref{ID: other.ID}); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.Create(ctx, r.by(), "WEB", task.New{Title: "x", Parent: other.ID})
	wantCode(t, err, apperr.Unprocessable, "trash")
}

func TestRelations(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := context.Background()
	var ref []task.Ref
	for _, title := range []string{"a", "b", "c"} {
		ref = append(ref, task.Ref{ID: r.create(task.New{Title: title}).ID})
	}
	relate := func(a int, kind string, b int) error {
		_, _, err := r.Relate(ctx, r.by(), ref[a], kind, ref[b])
		return err
	}
	for _, err := range []error{relate(0, "blocks", 1), relate(2, "blocked-by", 1), relate(0, "blocks", 1), relate(2, "relates", 0), relate(0, "relates", 2)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, relate(2, "blocks", 0), apperr.Unprocessable, "circle")
	wantCode(t, relate(0, "blocked-by", 2), apperr.Unprocessable, "circle")
	wantCode(t, relate(0, "blocks", 0), apperr.Unprocessable, "itself")
	wantCode(t, relate(0, "eats", 1), apperr.Invalid, "blocked-by")
	_, d, err := r.Details(ctx, ref[0])
	if err != nil || len(d.Relations) != 2 {
		t.Errorf("%+v, %v", d.Relations, err)
	}
	e := r.store.EventsOf(ref[1].ID)
	if len(e) != 3 || e[1].Kind != history.RelationAdded || !strings.Contains(string(e[1].Changes[0].After), `"blocked-by"`) {
		t.Errorf("b's history: %+v", e)
	}
	if b, err := r.Get(ctx, ref[1]); err != nil || b.Version != 1 {
		t.Error("relations do not make edits stale", err)
	}
	if _, _, err := r.Unrelate(ctx, r.by(), ref[1], "blocked-by", ref[0]); err != nil {
		t.Error(err)
	}
	_, _, err = r.Unrelate(ctx, r.by(), ref[1], "blocked-by", ref[0])
	wantCode(t, err, apperr.NotFound, "")
	if err := relate(2, "blocks", 0); err != nil {
		t.Error(err)
	}
}

func TestComments(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx, bob := context.Background(), task.Write{Actor: r.bob}
	ref := task.Ref{ID: r.create(task.New{Title: "a"}).ID}
	c, _, err := r.AddComment(ctx, bob, ref, "first")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = r.EditComment(ctx, r.by(), ref, c.ID, "mine now")
	wantCode(t, err, apperr.Forbidden, "author")
	c, _, err = r.EditComment(ctx, bob, ref, c.ID, "second @ada")
	if err != nil || c.Edited == nil || !slices.Equal(c.Mentions, []uuid.UUID{r.ada}) {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := r.RemoveComment(ctx, r.by(), ref, c.ID); err != nil { // ada owns the project
		t.Error(err)
	}
	_, err = r.RemoveComment(ctx, bob, ref, c.ID)
	wantCode(t, err, apperr.NotFound, "")
	for _, body := range []string{"", " \n", "\xff", strings.Repeat("x", task.MaxComment+1)} {
		_, _, err := r.AddComment(ctx, bob, ref, body)
		wantCode(t, err, apperr.Invalid, "body")
	}
	var kinds []string
	for _, e := range r.store.EventsOf(ref.ID) {
		kinds = append(kinds, string(e.Kind)+":"+fieldsOf(e))
	}
	want := "task.created:title state number rank,comment.added:comment body,comment.edited:comment body mentions,comment.removed:comment body mentions"
	if got := strings.Join(kinds, ","); got != want {
		t.Errorf("events\n got %s\nwant %s", got, want)
	}
}

func TestMoveKeepsNeighbours(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a, b, c := r.create(task.New{Title: "a"}), r.create(task.New{Title: "b"}), r.create(task.New{Title: "c"})
	r.create(task.New{Title: "d", Place: task.Placement{After: a.ID}})
	r.create(task.New{Title: "e", Place: task.Placement{Top: true}})
	if got := r.list(""); got != "e a d b c" {
		t.Errorf("order %s", got)
	}
	if _, _, err := r.Move(context.Background(), r.by(), task.Ref{ID: c.ID}, task.Move{Place: &task.Placement{Before: a.ID}}); err != nil {
		t.Fatal(err)
	}
	if got := r.list(""); got != "e c a d b" {
		t.Errorf("order %s", got)
	}
	if after, err := r.Get(context.Background(), task.Ref{ID: b.ID}); err != nil || after.Rank != b.Rank || after.Version != 1 {
		t.Error("a neighbour was rewritten", err)
	}
	_, _, err := r.Move(context.Background(), r.by(), task.Ref{ID: a.ID}, task.Move{Place: &task.Placement{Before: a.ID}})
	wantCode(t, err, apperr.Invalid, "beside itself")
	_, _, err = r.Move(context.Background(), r.by(), task.Ref{ID: a.ID}, task.Move{Place: &task.Placement{Before: b.ID, Top: true}})
	wantCode(t, err, apperr.Invalid, "only one")
}

func TestBulk(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := context.Background()
	a, b := r.create(task.New{Title: "a"}), r.create(task.New{Title: "b", Labels: []uuid.UUID{r.bug}})
	c := r.create(task.New{Title: "c"})
	done := r.state("Done")
	refs := []task.Ref{{ID: a.ID}, {Key: "web", Number: 2}, {ID: b.ID}}
	ts, _, err := r.Bulk(ctx, r.by(), "web", task.BulkEdit{Refs: refs, Patch: &task.Patch{State: &done, AddAssignees: []uuid.UUID{r.bob}}})
	if err != nil || len(ts) != 2 || ts[1].StateID != done || ts[0].Version != 2 {
		t.Fatalf("%+v, %v", ts, err)
	}
	if ts, _, err = r.Bulk(ctx, r.by(), "WEB", task.BulkEdit{Filter: "label:bug", Trash: true, Viewer: task.Viewer{Person: r.ada}}); err != nil || len(ts) != 1 {
		t.Fatal(ts, err)
	}
	long := strings.Repeat("x", 501)
	_, _, err = r.Bulk(ctx, r.by(), "WEB", task.BulkEdit{Refs: []task.Ref{{ID: a.ID}, {ID: b.ID}, {ID: c.ID}}, Patch: &task.Patch{RemoveAssignees: []uuid.UUID{r.bob}}})
	e, ok := apperr.As(err)
	if !ok || e.Code != apperr.Unprocessable || len(e.Fields) != 1 || e.Fields[0].Name != "tasks[WEB-2]" || !strings.Contains(e.Fields[0].Message, "trash") {
		t.Errorf("got %v, want the task in the trash named", err)
	}
	if got, err := r.Get(ctx, task.Ref{ID: a.ID}); err != nil || len(got.Assignees) != 1 {
		t.Error("a refused bulk edit changed a task", err)
	}
	_, _, err = r.Bulk(ctx, r.by(), "WEB", task.BulkEdit{Refs: []task.Ref{{ID: a.ID}, {ID: c.ID}}, Patch: &task.Patch{Title: &long}})
	if e, ok = apperr.As(err); !ok || len(e.Fields) != 2 {
		t.Errorf("got %v, want both tasks named", err)
	}
	for _, b := range []task.BulkEdit{{}, {Trash: true}, {Refs: refs}, {Refs: refs, Filter: "x", Trash: true}, {Refs: refs, Trash: true, Restore: true}, {Refs: make([]task.Ref, 501), Trash: true}} {
		_, _, err := r.Bulk(ctx, r.by(), "WEB", b)
		wantCode(t, err, apperr.Invalid, "")
	}
}
