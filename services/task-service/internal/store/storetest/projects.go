package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func people(f *fixture) {
	t := f.t
	anna := account.Person{ID: uuid.Must(uuid.NewV7()), Handle: "anna", Name: "Änna 🙂", Kind: account.Imported, Created: history.Now()}
	ben := account.Person{ID: uuid.Must(uuid.NewV7()), Handle: "ben", Name: "Ben", Kind: account.Member, Created: history.Now()}
	stored, err := f.AddPeople(f.ctx, []account.Person{anna, ben})
	ok(t, "add people", err)
	same(t, "added", stored, []account.Person{anna, ben})
	impostor := anna
	impostor.ID, impostor.Name = uuid.Must(uuid.NewV7()), "Another"
	stored, err = f.AddPeople(f.ctx, []account.Person{ben, impostor, impostor})
	ok(t, "add people again", err)
	same(t, "handles that exist stay", stored, []account.Person{ben, anna, anna})
	got, err := f.Person(f.ctx, anna.ID)
	ok(t, "read person", err)
	same(t, "person", got, anna)
	_, err = f.Person(f.ctx, uuid.New())
	wantCode(t, "nobody", err, apperr.NotFound)
	all, err := f.People(f.ctx)
	ok(t, "read people", err)
	var handles []string
	for _, p := range all {
		handles = append(handles, p.Handle)
	}
	if !slices.IsSorted(handles) || !slices.Contains(handles, "anna") || !slices.Contains(handles, "tallyboard") || all[0].ID == uuid.Nil {
		t.Fatalf("people: %v", handles)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			many := make([]account.Person, 20)
			for j := range many {
				n := (i + j) % len(many)
				many[j] = account.Person{ID: uuid.Must(uuid.NewV7()), Handle: fmt.Sprint("p", n), Name: "P", Kind: account.Imported, Created: history.Now()}
			}
			if _, err := f.AddPeople(f.ctx, many); err != nil {
				t.Errorf("add the same people at once: %v", err)
			}
		})
	}
	wg.Wait()
}

// edit changes the fixture's project as a service does.
func (f *fixture) edit(w project.Write, fn func(p *project.Project) error) (*project.Project, error) {
	return f.UpdateProject(f.ctx, w, f.p.Key, func(p *project.Project) error { return p.Edit(f.by(), fn) })
}

func projects(f *fixture) {
	t := f.t
	read := func() *project.Project {
		t.Helper()
		p, err := f.Project(f.ctx, f.p.Key)
		ok(t, "read project", err)
		return p
	}
	same(t, "project read back", asJSON(t, read()), asJSON(t, f.p))
	read().States[0].Name = "scribbled over" // on a copy
	same(t, "project read again", asJSON(t, read()), asJSON(t, f.p))
	changed, err := f.edit(f.keyed("project", "1"), func(p *project.Project) error {
		p.Name, p.Description = "Näme", "text"
		p.States[0], p.States[1] = p.States[1], p.States[0]
		p.States[2].WIPLimit = new(3)
		p.States = append(p.States, project.State{ID: uuid.New(), Name: "Review", Category: project.Doing})
		p.Labels = append(p.Labels[1:], project.Label{ID: uuid.New(), Name: "new", Color: "#123456"})
		p.Members = append(p.Members, project.Member{PersonID: access.OwnerID, Role: "viewer"})
		return nil
	})
	ok(t, "change project", err)
	if changed.Version != 2 || changed.Seq != 2 {
		t.Fatalf("version %d, seq %d", changed.Version, changed.Seq)
	}
	got := read()
	slices.SortFunc(changed.Members, func(a, b project.Member) int { return slices.Compare(a.PersonID[:], b.PersonID[:]) })
	same(t, "changed project read back", asJSON(t, got), asJSON(t, changed))
	again, err := f.edit(f.keyed("project", "1"), func(*project.Project) error { t.Error("a retry was carried out"); return nil })
	ok(t, "retry", err)
	same(t, "answer of a retry", again.Version, int64(2))
	w := f.write()
	w.IfVersion = 1
	_, err = f.edit(w, func(p *project.Project) error { p.Name = "never"; return nil })
	wantCode(t, "change of an older version", err, apperr.Stale)
	if e, _ := apperr.As(err); asJSON(t, e.Current) != asJSON(t, got) {
		t.Fatalf("current: %s", asJSON(t, e.Current))
	}
	_, err = f.edit(f.write(), func(p *project.Project) error {
		p.Members = append(p.Members, project.Member{PersonID: uuid.New(), Role: "viewer"})
		return nil
	})
	wantCode(t, "a member nobody knows", err, apperr.Unprocessable)
	_, err = f.Project(f.ctx, "NONE")
	wantCode(t, "no project", err, apperr.NotFound)
	_, err = f.UpdateProject(f.ctx, f.write(), "NONE", func(*project.Project) error { return nil })
	wantCode(t, "change no project", err, apperr.NotFound)
	twin, err := project.Make(f.by(), project.New{Key: f.p.Key, Name: "Twin"})
	ok(t, "make project", err)
	_, err = f.CreateProject(f.ctx, f.write(), twin)
	wantCode(t, "a key that is taken", err, apperr.Conflict)

	second, err := project.Make(f.by(), project.New{Key: newKey(), Name: "Second"})
	ok(t, "make project", err)
	made, err := f.CreateProject(f.ctx, f.keyed("second", "1"), second)
	ok(t, "create project", err)
	retry, err := project.Make(f.by(), project.New{Key: second.Key, Name: "Second"})
	ok(t, "make project", err)
	replay, err := f.CreateProject(f.ctx, f.keyed("second", "1"), retry)
	ok(t, "retry", err)
	same(t, "answer of a retry", replay.ID, made.ID)
	_, err = f.UpdateProject(f.ctx, f.write(), second.Key, func(p *project.Project) error {
		return p.Apply(f.by(), project.Patch{Archived: new(true)})
	})
	ok(t, "archive", err)
	open, err := f.Projects(f.ctx, false)
	ok(t, "read projects", err)
	same(t, "projects", len(open), 1)
	same(t, "project of the list", asJSON(t, open[0]), asJSON(t, got))
	every, err := f.Projects(f.ctx, true)
	ok(t, "read projects", err)
	same(t, "all projects", len(every), 2)
	if strings.Compare(every[0].Key, every[1].Key) >= 0 {
		t.Fatal("projects are not ordered by key")
	}
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			_, err := f.edit(f.write(), func(p *project.Project) error {
				p.Labels = append(p.Labels, project.Label{ID: uuid.New(), Name: fmt.Sprint("l", i), Color: "#000000"})
				return nil
			})
			if err != nil {
				t.Errorf("concurrent change: %v", err)
			}
		})
	}
	wg.Wait()
	same(t, "labels", len(read().Labels), len(got.Labels)+10)
	same(t, "seq", read().Seq, int64(12))
}

func statesInUse(f *fixture) {
	t := f.t
	state := f.state(project.Backlog)
	archive := func() error {
		_, err := f.edit(f.write(), func(p *project.Project) error {
			for i := range p.States {
				if p.States[i].ID == state {
					p.States[i].Archived = true
				}
			}
			return nil
		})
		return err
	}
	made := f.add(t, task.New{Title: "x", State: state})
	wantCode(t, "archive a state with tasks", archive(), apperr.Conflict)
	f.trash(t, made.ID)
	wantCode(t, "archive a state with trashed tasks", archive(), apperr.Conflict)
	other := f.add(t, task.New{Title: "y", State: state})
	f.mustChange(t, other.ID, task.Patch{State: new(f.state(project.Done))})
	_, _, err := f.UpdateTask(f.ctx, f.write(), task.Ref{ID: made.ID}, func(_ context.Context, tx task.Tx, t *task.Task) error { return t.Restore(f.env(tx.Project())) })
	ok(t, "restore", err)
	f.mustChange(t, made.ID, task.Patch{State: new(f.state(project.Done))})
	ok(t, "archive an empty state", archive())
	out := f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(f.write(), task.New{Title: "late", State: state})})
	wantCode(t, "create in an archived state", out[0].Err, apperr.Invalid)
	_, err = f.change(f.ctx, made.ID, task.Patch{State: &state})
	wantCode(t, "move to an archived state", err, apperr.Invalid)
}

func views(f *fixture) {
	t := f.t
	v := project.View{ID: uuid.Must(uuid.NewV7()), ProjectID: f.p.ID, Name: "Mine", Filter: `assignee:me "x"`, Layout: project.List,
		GroupBy: "state", Sort: "-updated", Owner: f.actor}
	saved, err := f.SaveView(f.ctx, f.keyed("view", "1"), v)
	ok(t, "save view", err)
	if saved.Version != 1 || saved.Created.IsZero() {
		t.Fatalf("saved: %+v", saved)
	}
	replay, err := f.SaveView(f.ctx, f.keyed("view", "1"), v)
	ok(t, "retry", err)
	same(t, "answer of a retry", asJSON(t, replay), asJSON(t, saved))
	read := func(viewer uuid.UUID) []project.View {
		t.Helper()
		vs, err := f.Views(f.ctx, f.p.ID, viewer)
		ok(t, "read views", err)
		return vs
	}
	same(t, "views of the owner", asJSON(t, read(f.actor)), asJSON(t, []project.View{saved}))
	same(t, "views of others", len(read(uuid.New())), 0)
	v.Shared, v.Name = true, "Ours"
	w := f.write()
	w.IfVersion = 1
	changed, err := f.SaveView(f.ctx, w, v)
	ok(t, "replace view", err)
	same(t, "version", changed.Version, int64(2))
	same(t, "views of others", asJSON(t, read(uuid.New())), asJSON(t, []project.View{changed}))
	_, err = f.SaveView(f.ctx, w, v)
	wantCode(t, "replace an older version", err, apperr.Stale)
	wantCode(t, "remove an older version", f.RemoveView(f.ctx, w, f.p.ID, v.ID), apperr.Stale)
	p, err := f.Project(f.ctx, f.p.Key)
	ok(t, "read project", err)
	if p.Version != 1 || p.Seq != 3 {
		t.Fatalf("views changed the settings: version %d, seq %d", p.Version, p.Seq)
	}
	ok(t, "remove view", f.RemoveView(f.ctx, f.write(), f.p.ID, v.ID))
	wantCode(t, "remove it twice", f.RemoveView(f.ctx, f.write(), f.p.ID, v.ID), apperr.NotFound)
	wantCode(t, "replace one that is gone", second(f.SaveView(f.ctx, w, v)), apperr.NotFound)
	same(t, "views", len(read(f.actor)), 0)
}

func second[T any](_ T, err error) error { return err }
