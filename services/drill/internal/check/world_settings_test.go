package check

import (
	"slices"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// settle makes one version of the project's settings; part is what it concerns.
func (w *world) settle(kind ledger.Kind, part string, asked ledger.Asked, set func(*Project)) {
	op := w.op(kind)
	op.Part, op.Asked = part, asked
	p := &w.r.Found.Projects[0]
	was := *p
	p.States, p.Labels, p.Members = slices.Clone(p.States), slices.Clone(p.Labels), slices.Clone(p.Members)
	set(p)
	if kind != ledger.ReadProject {
		var changes []Change
		for _, field := range []struct {
			name        string
			before, now any
		}{{"name", was.Name, p.Name}, {"states", was.States, p.States}, {"labels", was.Labels, p.Labels}, {"members", was.Members, p.Members}} {
			c := w.to(field.name, field.before)
			if c.Before, c.After = c.After, w.to("", field.now).After; string(c.Before) != string(c.After) {
				changes = append(changes, c)
			}
		}
		if len(changes) > 0 {
			p.Version++
			w.event(worldProject, op.Trace, "project.changed", w.projectSeq(), changes...)
		}
	}
	answer := p.settings()
	op.Settings = &answer
}

// projectSeq is that of the project's next event.
func (w *world) projectSeq() (seq int64) {
	for _, e := range w.r.Found.Events {
		if e.Aggregate == worldProject {
			seq = max(seq, e.Seq)
		}
	}
	return seq + 1
}

func (w *world) rename(name string) {
	w.settle(ledger.Rename, "", ledger.Asked{Name: name}, func(p *Project) { p.Name = name })
}

// settleAll makes each change of settings once.
func (w *world) settleAll() {
	limit, first, back := 3, 0, false
	w.settle(ledger.AddState, "", ledger.Asked{Name: "Later", Category: "todo"}, func(p *Project) {
		p.States = append(p.States, ledger.State{ID: "s3", Name: "Later", Category: "todo"})
	})
	w.settle(ledger.ChangeState, "s3", ledger.Asked{Name: "Soon", Position: &first, WIPLimit: &limit}, func(p *Project) {
		p.States = []ledger.State{{ID: "s3", Name: "Soon", Category: "todo", WIPLimit: &limit}, p.States[0], p.States[1]}
	})
	w.settle(ledger.ArchiveState, "s3", ledger.Asked{}, func(p *Project) {
		p.States = []ledger.State{p.States[1], p.States[2], {ID: "s3", Name: "Soon", Category: "todo", WIPLimit: &limit, Archived: true}}
	})
	w.settle(ledger.ArchiveState, "s3", ledger.Asked{}, func(*Project) {})
	w.settle(ledger.ChangeState, "s3", ledger.Asked{Name: "Again", Archived: &back}, func(p *Project) {
		p.States[2].Name, p.States[2].Archived = "Again", false
	})
	w.settle(ledger.AddLabel, "", ledger.Asked{Name: "red", Color: "#ff0000"}, func(p *Project) {
		p.Labels = []ledger.Label{{ID: "l1", Name: "red", Color: "#ff0000"}}
	})
	w.settle(ledger.AddLabel, "", ledger.Asked{Name: "blue", Color: "#0000ff"}, func(p *Project) {
		p.Labels = append(p.Labels, ledger.Label{ID: "l2", Name: "blue", Color: "#0000ff"})
	})
	w.settle(ledger.ChangeLabel, "l2", ledger.Asked{Name: "navy", Position: &first}, func(p *Project) {
		p.Labels = []ledger.Label{{ID: "l2", Name: "navy", Color: "#0000ff"}, p.Labels[0]}
	})
	w.settle(ledger.RemoveLabel, "l1", ledger.Asked{}, func(p *Project) { p.Labels = p.Labels[:1] })
	w.settle(ledger.SetMember, "p2", ledger.Asked{Role: "editor"}, func(p *Project) {
		p.Members = append(p.Members, ledger.Member{Person: "p2", Role: "editor"})
	})
	w.settle(ledger.SetMember, "p2", ledger.Asked{Role: "editor"}, func(*Project) {})
	w.settle(ledger.SetMember, "p3", ledger.Asked{Role: "viewer"}, func(p *Project) {
		p.Members = append(p.Members, ledger.Member{Person: "p3", Role: "viewer"})
	})
	w.settle(ledger.RemoveMember, "p2", ledger.Asked{}, func(p *Project) { p.Members = slices.Delete(p.Members, 1, 2) })
	w.settle(ledger.ReadProject, "", ledger.Asked{}, func(*Project) {})
}

// save makes, replaces or (with a nil view) removes the view v1 or v2.
func (w *world) save(kind ledger.Kind, id string, ifVersion int64, asked *ledger.View) {
	op := w.op(kind)
	op.Part, op.Asked = id, ledger.Asked{View: asked, IfVersion: ifVersion}
	views := &w.r.Found.Views
	i := slices.IndexFunc(*views, func(v View) bool { return v.ID == id })
	change := Change{Field: "view"}
	event := "view.saved"
	v := View{Project: worldProject}
	if i >= 0 {
		change.Before = w.to("", (*views)[i].View).After
		v.Version = (*views)[i].Version
		*views = slices.Delete(slices.Clone(*views), i, i+1)
	}
	if asked == nil {
		event = "view.removed"
	} else {
		version := v.Version + 1
		v.View = *asked
		v.ID, v.Version = id, version
		change.After = w.to("", v.View).After
		*views = append(*views, v)
		answer := v.View
		op.View = &answer
	}
	w.event(worldProject, op.Trace, event, w.projectSeq(), change)
}
