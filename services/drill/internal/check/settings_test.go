package check

import (
	"encoding/json"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// badSettings are histories of settings and views that must not pass.
var badSettings = []spoilt{
	{"a project without history", "settings", func(r *Record) { r.Found.Projects = append(r.Found.Projects, Project{ID: "other", Key: "DRB"}) }},
	{"settings whose version was not counted", "settings", func(r *Record) { r.Found.Projects[0].Version-- }},
	{"states that their history does not explain", "settings", func(r *Record) { r.Found.Projects[0].States[0].Name = "from nowhere" }},
	{"labels that their history does not explain", "settings", func(r *Record) { r.Found.Projects[0].Labels = nil }},
	{"members that their history does not explain", "settings", func(r *Record) { r.Found.Projects[0].Members[1].Role = "owner" }},
	{"settings that begin elsewhere than the last ones ended", "settings", func(r *Record) { event(r, opChangeLabel, 0).Changes[0].Before = []byte("[]") }},
	{"settings that cannot be read", "settings", func(r *Record) { event(r, opAddLabel, 0).Changes[0].After = []byte("{") }},
	{"an acknowledged state that is gone", "settings", func(r *Record) { forget(r, event(r, opAddState, 0)) }},
	{"an acknowledged state that is another one", "settings", func(r *Record) { r.Ops[opAddState].Asked.Category = "done" }},
	{"a state without its limit", "settings", func(r *Record) { *r.Ops[opChangeState].Asked.WIPLimit++ }},
	{"a state elsewhere", "settings", func(r *Record) { *r.Ops[opChangeState].Asked.Position++ }},
	{"a state that is not called so", "settings", func(r *Record) { r.Ops[opChangeState].Asked.Name = "Never" }},
	{"a state that is still archived", "settings", func(r *Record) { *r.Ops[opStateBack].Asked.Archived = true }},
	{"a state that was not archived", "settings", func(r *Record) { r.Ops[opArchiveState].Part = "s1" }},
	{"a task in an archived state", "settings", func(r *Record) { r.Found.Projects[0].States[0].Archived = true; rewrite(r, opStateBack) }},
	{"two states of one name", "settings", func(r *Record) { r.Found.Projects[0].States[0].Name = "Again"; rewrite(r, opStateBack) }},
	{"a project that nobody owns", "settings", func(r *Record) { r.Found.Projects[0].Members[0].Role = "viewer"; rewrite(r, opRemoveMember) }},
	{"a change of more than was asked for", "settings", func(r *Record) { r.Found.Projects[0].States[1].Name = "besides"; rewrite(r, opStateBack) }},
	{"an acknowledged label that is gone", "settings", func(r *Record) { forget(r, event(r, opAddLabel2, 0)) }},
	{"a label of another colour", "settings", func(r *Record) { r.Ops[opAddLabel].Asked.Color = "#00ff00" }},
	{"a label that was not removed", "settings", func(r *Record) { r.Ops[opRemoveLabel].Part = "l2" }},
	{"an acknowledged removal of a label that is gone", "settings", func(r *Record) { r.Ops[opRemoveLabel].Settings = r.Ops[opChangeLabel].Settings }},
	{"a member with another role", "settings", func(r *Record) { r.Ops[opSetMember].Asked.Role = "viewer" }},
	{"an acknowledged member who is gone", "settings", func(r *Record) { r.Ops[opSetMember].Part = "p9" }},
	{"a member who was not removed", "settings", func(r *Record) { r.Ops[opRemoveMember].Part = "p3" }},
	{"an answer with settings of somebody else's making", "settings", func(r *Record) { r.Ops[opAddLabel].Settings = r.Ops[opAddLabel2].Settings }},
	{"an answer with settings that never were", "settings", func(r *Record) { r.Ops[opReadProject].Settings.Version = 99 }},
	{"an answer with settings that were otherwise", "settings", func(r *Record) { r.Ops[opReadProject].Settings.Name = "Dream" }},
	{"an answer without settings", "settings", func(r *Record) { r.Ops[opReadProject].Settings = nil }},
	{"a read of settings that had been changed before", "linearizable", func(r *Record) { r.Ops[opReadProject].Settings = r.Ops[opAddLabel].Settings }},

	{"a view that its history does not explain", "settings", func(r *Record) { r.Found.Views[0].Filter = "from nowhere" }},
	{"a view without events", "settings", func(r *Record) { r.Found.Views = append(r.Found.Views, View{View: ledger.View{ID: "v9"}}) }},
	{"a view that is gone", "settings", func(r *Record) { r.Found.Views = nil }},
	{"an acknowledged view that is gone", "settings", func(r *Record) { forget(r, event(r, opAddView, 0)) }},
	{"an acknowledged change of a view that is gone", "settings", func(r *Record) { forget(r, event(r, opReplaceView, 0)) }},
	{"an acknowledged removal of a view that is gone", "settings", func(r *Record) { forget(r, event(r, opRemoveView, 0)) }},
	{"a removal of another view", "settings", func(r *Record) { r.Ops[opRemoveView].Part = "v1" }},
	{"a view that is not as asked for", "settings", func(r *Record) { r.Ops[opAddView2].Asked.View.Shared = false }},
	{"a view that was answered otherwise", "settings", func(r *Record) { r.Ops[opReplaceView].View.Version++ }},
	{"a view without answer", "settings", func(r *Record) { r.Ops[opAddView2].View = nil }},
	{"a new view in the place of another one", "settings", func(r *Record) { r.Ops[opReplaceView].Kind = ledger.AddView }},
	{"a view replaced that was not the one", "settings", func(r *Record) { r.Ops[opReplaceView].Asked.IfVersion = 7 }},
	{"an event of a view without it", "settings", func(r *Record) { event(r, opRemoveView, 0).Changes = nil }},
	{"an event of a view that cannot be read", "settings", func(r *Record) { event(r, opRemoveView, 0).Changes[0].Before = []byte("{") }},
}

// rewrite has the last change of a list of settings make what is there now, and its answer show it.
func rewrite(r *Record, op int) {
	p := r.Found.Projects[0]
	lists := map[string]any{"states": p.States, "labels": p.Labels, "members": p.Members}
	c := &event(r, op, 0).Changes[0]
	after, err := json.Marshal(lists[c.Field])
	if err != nil {
		panic(err)
	}
	c.After = after
	for i := op; i < len(r.Ops); i++ {
		if s := r.Ops[i].Settings; s != nil {
			shown := p.settings()
			shown.Version = s.Version
			if c.Field != "states" {
				shown.States = s.States
			}
			if c.Field != "members" {
				shown.Members = s.Members
			}
			shown.Labels = s.Labels
			r.Ops[i].Settings = &shown
		}
	}
}
