package project_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task/tasktest"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

type rig struct {
	*project.Service
	store    *tasktest.Store
	ada, bob uuid.UUID
}

func setup(t *testing.T) (*rig, *project.Project) {
	t.Helper()
	r := &rig{ada: uuid.New(), bob: uuid.New()}
	r.store = tasktest.New(account.Person{ID: r.ada, Handle: "ada"}, account.Person{ID: r.bob, Handle: "bob"})
	r.Service = project.NewService(project.Deps{Store: r.store, Views: r.store, People: r.store, Clock: tasktest.Clock(noon)})
	p, err := r.Create(context.Background(), r.by(), project.New{Key: " web", Name: " My  site "})
	if err != nil {
		t.Fatal(err)
	}
	return r, p
}

func (r *rig) by() project.Write { return project.Write{Actor: r.ada} }

func names(p *project.Project) string {
	var out []string
	for _, s := range p.States {
		name := s.Name
		if s.Archived {
			name = "(" + name + ")"
		}
		out = append(out, name)
	}
	return strings.Join(out, ",")
}

func wantCode(t *testing.T, err error, code apperr.Code, part string) {
	t.Helper()
	if apperr.CodeOf(err) != code || !strings.Contains(err.Error(), part) {
		t.Errorf("got %v, want %s with %q", err, code, part)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	r, p := setup(t)
	if p.Key != "WEB" || p.Name != "My site" || p.Version != 1 || !p.OwnedBy(r.ada) || names(p) != "Backlog,Todo,In progress,In review,Done,Cancelled" {
		t.Errorf("got %+v", p)
	}
	e := r.store.EventsOf(p.ID)
	if len(e) != 1 || e[0].Kind != history.ProjectCreated || len(e[0].Changes) != 3 {
		t.Errorf("events %+v", e)
	}
	for key, in := range map[string]project.New{
		"key":                      {Key: "1A", Name: "x"},
		"key: must":                {Key: "TOOLONGAKEY", Name: "x"},
		"name":                     {Key: "AB"},
		"name: has":                {Key: "AB", Name: strings.Repeat("ä", 121)},
		"description":              {Key: "AB", Name: "x", Description: "\xff"},
		"at least one state":       {Key: "AB", Name: "x", States: []project.NewState{}},
		"already has a state":      {Key: "AB", Name: "x", States: []project.NewState{{Name: "Straße", Category: project.Todo}, {Name: "STRAẞE", Category: project.Done}}},
		"category":                 {Key: "AB", Name: "x", States: []project.NewState{{Name: "a", Category: "later"}}},
		"already has a label":      {Key: "AB", Name: "x", Labels: []project.NewLabel{{Name: "Bug"}, {Name: " bUG "}}},
		"color":                    {Key: "AB", Name: "x", Labels: []project.NewLabel{{Name: "a", Color: "red"}}},
		"there is no person":       {Key: "AB", Name: "x", Members: []project.Member{{PersonID: uuid.New(), Role: "viewer"}}},
		"role":                     {Key: "AB", Name: "x", Members: []project.Member{{PersonID: r.bob, Role: "king"}}},
		"conflict: The key WEB is": {Key: "WEB", Name: "x"},
	} {
		if _, err := r.Create(context.Background(), r.by(), in); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: got %v", key, err)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	r, _ := setup(t)
	ctx := context.Background()
	limit, bad, zero, three := 3, 1000, 0, 3
	p, qa, err := r.AddState(ctx, r.by(), "web", project.NewState{Name: "QA", Category: project.Doing, WIPLimit: &limit})
	if err != nil || names(p) != "Backlog,Todo,In progress,In review,QA,Done,Cancelled" || *qa.WIPLimit != 3 || p.Version != 2 {
		t.Fatalf("%s, %v", names(p), err)
	}
	if p, err = r.MoveState(ctx, r.by(), "WEB", qa.ID, 0); err != nil || !strings.HasPrefix(names(p), "QA,Backlog") {
		t.Errorf("%s, %v", names(p), err)
	}
	if p, err = r.ArchiveState(ctx, r.by(), "WEB", qa.ID); err != nil || !strings.HasSuffix(names(p), "Cancelled,(QA)") {
		t.Errorf("%s, %v", names(p), err)
	}
	if p, _, err = r.AddState(ctx, r.by(), "WEB", project.NewState{Name: "qa", Category: project.Doing, Position: &three}); err != nil || !strings.HasPrefix(names(p), "Backlog,Todo,In progress,qa,") {
		t.Errorf("an archived state's name is free: %s, %v", names(p), err)
	}
	no, todo, name, none := false, project.Todo, "qA", (*int)(nil)
	_, _, err = r.ChangeState(ctx, r.by(), "WEB", qa.ID, project.StatePatch{Archived: &no})
	wantCode(t, err, apperr.Conflict, "already has")
	renamed := "QA 2"
	if p, qa, err = r.ChangeState(ctx, r.by(), "WEB", qa.ID, project.StatePatch{Archived: &no, Name: &renamed, WIPLimit: &none}); err != nil || qa.Archived || qa.WIPLimit != nil {
		t.Errorf("%s, %v", names(p), err)
	}
	before := p.Version
	if p, _, err = r.ChangeState(ctx, r.by(), "WEB", qa.ID, project.StatePatch{Name: &renamed, Category: &qa.Category}); err != nil || p.Version != before {
		t.Errorf("nothing changed, yet version %d became %d, %v", before, p.Version, err)
	}
	_, _, err = r.ChangeState(ctx, r.by(), "WEB", qa.ID, project.StatePatch{Category: &todo})
	wantCode(t, err, apperr.Unprocessable, "never changes")
	_, _, err = r.ChangeState(ctx, r.by(), "WEB", qa.ID, project.StatePatch{Name: &name})
	wantCode(t, err, apperr.Conflict, "already has")
	for _, limit := range []*int{&bad, &zero} {
		_, _, err = r.ChangeState(ctx, r.by(), "WEB", qa.ID, project.StatePatch{WIPLimit: &limit})
		wantCode(t, err, apperr.Invalid, "wipLimit")
	}
	_, err = r.MoveState(ctx, r.by(), "WEB", qa.ID, 99)
	wantCode(t, err, apperr.Invalid, "position")
	_, err = r.MoveState(ctx, r.by(), "WEB", uuid.New(), 0)
	wantCode(t, err, apperr.NotFound, "state")
	for i := range project.MaxStates {
		if _, _, err = r.AddState(ctx, r.by(), "WEB", project.NewState{Name: fmt.Sprint(i), Category: project.Todo}); err != nil {
			break
		}
	}
	wantCode(t, err, apperr.Unprocessable, "at most 40")
	for _, s := range p.States[1:] {
		if _, err = r.ArchiveState(ctx, r.by(), "WEB", s.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLabelsAndMembers(t *testing.T) {
	t.Parallel()
	r, _ := setup(t)
	ctx := context.Background()
	p, bug, err := r.AddLabel(ctx, r.by(), "WEB", project.NewLabel{Name: "Bug", Color: "#FF0000"})
	if err != nil || bug.Color != "#ff0000" {
		t.Fatal(p, err)
	}
	if _, _, err = r.AddLabel(ctx, r.by(), "WEB", project.NewLabel{Name: "Idea"}); err != nil {
		t.Fatal(err)
	}
	name, last := "Defect", 1
	if p, bug, err = r.ChangeLabel(ctx, r.by(), "WEB", bug.ID, project.LabelPatch{Name: &name, Position: &last}); err != nil || p.Labels[1].Name != "Defect" {
		t.Errorf("%+v, %v", p.Labels, err)
	}
	taken := "IDEA"
	_, _, err = r.ChangeLabel(ctx, r.by(), "WEB", bug.ID, project.LabelPatch{Name: &taken})
	wantCode(t, err, apperr.Conflict, "already has")
	if p, err = r.RemoveLabel(ctx, r.by(), "WEB", bug.ID); err != nil || len(p.Labels) != 1 {
		t.Errorf("%+v, %v", p.Labels, err)
	}
	_, err = r.RemoveLabel(ctx, r.by(), "WEB", bug.ID)
	wantCode(t, err, apperr.NotFound, "label")

	_, err = r.SetMember(ctx, r.by(), "WEB", r.ada, "viewer")
	wantCode(t, err, apperr.Unprocessable, "owner")
	_, err = r.RemoveMember(ctx, r.by(), "WEB", r.ada)
	wantCode(t, err, apperr.Unprocessable, "owner")
	if _, err = r.SetMember(ctx, r.by(), "WEB", r.bob, "owner"); err != nil {
		t.Error(err)
	}
	if p, err = r.RemoveMember(ctx, r.by(), "WEB", r.ada); err != nil || len(p.Members) != 1 {
		t.Error(p, err)
	}
	_, err = r.SetMember(ctx, r.by(), "WEB", uuid.New(), "viewer")
	wantCode(t, err, apperr.Invalid, "person")
}

func TestArchive(t *testing.T) {
	t.Parallel()
	r, _ := setup(t)
	ctx, yes, no, name := context.Background(), true, false, "x"
	p, err := r.Change(ctx, r.by(), "WEB", project.Patch{Archived: &yes})
	if err != nil || p.Archived == nil {
		t.Fatal(p, err)
	}
	_, err = r.Change(ctx, r.by(), "WEB", project.Patch{Name: &name})
	wantCode(t, err, apperr.Conflict, "archived")
	_, _, err = r.AddLabel(ctx, r.by(), "WEB", project.NewLabel{Name: "x"})
	wantCode(t, err, apperr.Conflict, "archived")
	_, err = r.AddView(ctx, r.by(), "WEB", project.ViewInput{Name: "x"})
	wantCode(t, err, apperr.Conflict, "archived")
	if p, err = r.Change(ctx, r.by(), "WEB", project.Patch{Archived: &no, Name: &name}); err != nil || p.Archived != nil || p.Name != "x" || p.Seq != 3 {
		t.Error(p, err)
	}
	_, err = r.Change(ctx, project.Write{Actor: r.ada, IfVersion: 1}, "WEB", project.Patch{Name: &name})
	wantCode(t, err, apperr.Stale, "")
}

func TestViews(t *testing.T) {
	t.Parallel()
	r, _ := setup(t)
	ctx, bob := context.Background(), project.Write{Actor: r.bob}
	v, err := r.AddView(ctx, bob, "WEB", project.ViewInput{Name: "Mine", Filter: "assignee:me", Sort: "-due", GroupBy: "state"})
	if err != nil || v.Layout != project.Board || v.Version != 1 || v.Owner != r.bob {
		t.Fatal(v, err)
	}
	if seen, err := r.ListViews(ctx, "WEB", r.ada); err != nil || len(seen) != 0 {
		t.Error("a view that is not shared was shown to others", err)
	}
	ref := project.ViewRef{Project: "web", ID: v.ID}
	_, err = r.ReplaceView(ctx, r.by(), ref, project.ViewInput{Name: "Mine"})
	wantCode(t, err, apperr.NotFound, "view")
	if v, err = r.ReplaceView(ctx, bob, ref, project.ViewInput{Name: "Ours", Shared: true}); err != nil || v.Version != 2 || v.Filter != "" {
		t.Error(v, err)
	}
	if v, err = r.ReplaceView(ctx, r.by(), ref, project.ViewInput{Name: "Everybody's", Shared: true}); err != nil || v.Owner != r.bob { // ada owns the project
		t.Error(v, err)
	}
	_, err = r.ReplaceView(ctx, project.Write{Actor: r.bob, IfVersion: 1}, ref, project.ViewInput{Name: "Old"})
	wantCode(t, err, apperr.Stale, "")
	for part, in := range map[string]project.ViewInput{
		"name": {}, "filter": {Name: "x", Filter: "stat:x"}, "layout": {Name: "x", Layout: "cube"}, "groupBy": {Name: "x", GroupBy: "mood"}, "sort": {Name: "x", Sort: "mood"},
	} {
		_, err := r.AddView(ctx, bob, "WEB", in)
		wantCode(t, err, apperr.Invalid, part)
	}
	if err := r.RemoveView(ctx, bob, ref); err != nil {
		t.Error(err)
	}
	wantCode(t, r.RemoveView(ctx, bob, ref), apperr.NotFound, "view")
}

// TestNoClockShows has a replica whose clock is fast save a view, and demands that what a slow one changes next, view or
// setting, did not occur before.
func TestNoClockShows(t *testing.T) {
	t.Parallel()
	fast, slow := project.By{Now: noon.Add(time.Minute)}, project.By{Now: noon}
	p, err := project.Make(slow, project.New{Key: "AB", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	first := project.View{Name: "v"}
	p.ViewChanged(fast, nil, &first)
	second := first
	p.ViewChanged(slow, &first, &second)
	if !first.Created.Equal(fast.Now) || !second.Created.Equal(fast.Now) || !second.Updated.Equal(fast.Now) {
		t.Errorf("a view was made at %s and changed at %s", second.Created, second.Updated)
	}
	p.ViewChanged(slow, &second, nil)
	name := "y"
	if err := p.Apply(slow, project.Patch{Name: &name}); err != nil {
		t.Fatal(err)
	}
	for _, e := range p.TakePending()[1:] {
		if !e.Occurred.Equal(fast.Now) {
			t.Errorf("%s occurred at %s", e.Kind, e.Occurred)
		}
	}
	if p.Version != 2 || !p.Updated.Equal(fast.Now) {
		t.Errorf("version %d, updated %s", p.Version, p.Updated)
	}
}

// TestSettingsCanBeUndone: undoing events gives every state settings ever had.
func TestSettingsCanBeUndone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		by := project.By{Actor: uuid.New(), Now: noon}
		p, err := project.Make(by, project.New{Key: "AB", Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		events := p.TakePending()
		show := func() string {
			c := *p
			c.Version, c.Updated = 0, time.Time{}
			if len(c.Labels) == 0 {
				c.Labels = nil
			}
			b, err := json.Marshal(&c)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		snapshots := []string{show()}
		for range rapid.IntRange(0, 12).Draw(t, "changes") {
			name := rapid.StringMatching(`[a-d]{1,2}`).Draw(t, "name")
			archived := rapid.Bool().Draw(t, "archived")
			switch rapid.IntRange(0, 3).Draw(t, "deed") {
			case 0:
				err = p.Apply(by, project.Patch{Name: &name})
			case 1:
				err = p.Apply(by, project.Patch{Archived: &archived})
			case 2:
				err = p.AddStates(by, []project.NewState{{Name: name, Category: project.Doing, Archived: archived}})
			case 3:
				err = p.AddLabels(by, []project.NewLabel{{Name: name}})
			}
			if err != nil && !apperr.Is(err, apperr.Conflict) {
				t.Fatal(err)
			}
			if made := p.TakePending(); len(made) > 0 {
				events, snapshots = append(events, made...), append(snapshots, show())
			}
		}
		if p.Seq != int64(len(events)) || p.Version != p.Seq {
			t.Fatalf("seq %d, version %d after %d events", p.Seq, p.Version, len(events))
		}
		for i, e := range slices.Backward(events) {
			if got := show(); got != snapshots[i] {
				t.Fatalf("undone to %d\n got %s\nwant %s", i, got, snapshots[i])
			}
			if existed, err := project.Undo(p, e); err != nil || existed != (i > 0) {
				t.Fatal(existed, err)
			}
		}
	})
}

func TestFold(t *testing.T) {
	t.Parallel()
	for a, b := range map[string]string{"Straße": "STRAẞE", "ΣΊΣΥΦΟΣ": "σίσυφος", "In  Progress": " in progress", "K": "k"} {
		if project.Fold(a) != project.Fold(b) {
			t.Errorf("%q and %q are one name", a, b)
		}
	}
	if project.Fold("résumé") == project.Fold("resume") {
		t.Error("accents make another name")
	}
}
