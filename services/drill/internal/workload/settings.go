package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// What clients make of a project's settings. Each event about states has all of them, so that they stay few.
const (
	persons    = 4  // who become members of projects, and leave them
	mostStates = 12 // archived ones included
	mostLabels = 20
	mostViews  = 20
	// strange is how many tasks there are to one that is put into a state which clients have made, and may archive.
	strange = 12
)

var (
	stateCategories = []string{"backlog", "todo", "doing", "done", "cancelled"}
	memberRoles     = []string{"owner", "editor", "commenter", "viewer"}
	viewLayouts     = []string{"board", "list", "calendar", "timeline"}
	labelColors     = []string{"#336699", "#993366", "#669933", "#cc4400", "#0044cc"}
)

// viewed is a saved view as last seen.
type viewed struct {
	id      string
	version int64
}

// invite adds the people who become members of projects.
func (l *Load) invite(ctx context.Context) (ids []string, err error) {
	for n := range persons {
		var p struct{ ID string }
		body := fmt.Sprintf(`{"handle":"drill-%d","name":"Drilled %d"}`, n, n)
		if err := l.do(ctx, http.MethodPost, "/api/v1/people", body, http.StatusCreated, &p); err != nil {
			return nil, err
		}
		ids = append(ids, p.ID)
	}
	return ids, nil
}

// state chooses where a task shall stand: now and then in a state that clients have made.
func (p *place) state(random *rand.Rand) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if random.IntN(strange) == 0 {
		return p.set.States[random.IntN(len(p.set.States))].ID // of an archived one it is refused
	}
	return p.states[random.IntN(len(p.states))]
}

// labels chooses up to three labels of the project; somebody may be removing one of them, and then it is refused.
func (p *place) labels(random *rand.Rand) (ids []string) {
	const most = 3
	p.mu.Lock()
	defer p.mu.Unlock()
	for range min(most, len(p.set.Labels)) {
		if id := p.set.Labels[random.IntN(len(p.set.Labels))].ID; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// settings reads an answer that is a project.
func settings(op *ledger.Op, body []byte) error {
	var s ledger.Settings
	if err := json.Unmarshal(body, &s); err != nil {
		return fmt.Errorf("read a project: %w", err)
	}
	op.Settings = &s
	return nil
}

// view reads an answer that is a view.
func view(op *ledger.Op, body []byte) error {
	var v ledger.View
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("read a view: %w", err)
	}
	op.View, op.Part = &v, v.ID
	return nil
}

// settle makes an operation on a project's settings or views.
func (l *Load) settle(ctx context.Context, c *caller, project string, at *place) ledger.Op {
	at.mu.Lock()
	set := at.set
	at.mu.Unlock()
	path := "/api/v1/projects/" + project
	switch n := c.random.IntN(20); {
	case n < 6:
		return c.states(ctx, project, path+"/states", at, set)
	case n < 10:
		return c.labels(ctx, project, path+"/labels", set)
	case n < 13:
		return c.members(ctx, project, path+"/members/", at.people[c.random.IntN(len(at.people))])
	case n < 17:
		return c.views(ctx, project, path+"/views", at)
	}
	return c.call(ctx, c.name(ledger.ReadProject, project), request{method: http.MethodGet, path: path}, settings)
}

// states adds one, changes one, or archives one that clients have made.
func (c *caller) states(ctx context.Context, project, path string, at *place, set ledger.Settings) ledger.Op {
	n := c.random.IntN(10)
	if n < 4 && len(set.States) < mostStates {
		op := c.name(ledger.AddState, project)
		op.Asked.Name = "State of " + op.ID
		op.Asked.Category = stateCategories[c.random.IntN(len(stateCategories))]
		return c.call(ctx, op, jsonRequest(http.MethodPost, path, map[string]any{"name": op.Asked.Name, "category": op.Asked.Category}), settings)
	}
	s := set.States[c.random.IntN(len(set.States))]
	if own := !slices.Contains(at.states, s.ID); own && !s.Archived && n < 7 {
		op := c.name(ledger.ArchiveState, project)
		op.Part = s.ID
		return c.call(ctx, op, request{method: http.MethodDelete, path: path + "/" + s.ID}, settings)
	}
	op := c.name(ledger.ChangeState, project)
	op.Part, op.Asked.Name = s.ID, "State called so by "+op.ID
	body := map[string]any{"name": op.Asked.Name}
	switch open := slices.IndexFunc(set.States, func(s ledger.State) bool { return s.Archived }); {
	case s.Archived && n%2 == 0:
		back := false
		op.Asked.Archived, body["archived"] = &back, back
	case !s.Archived && n < 3:
		if open < 0 {
			open = len(set.States)
		}
		to := c.random.IntN(open)
		op.Asked.Position, body["position"] = &to, to
	case n < 6:
		limit := 1 + c.random.IntN(99)
		op.Asked.WIPLimit, body["wipLimit"] = &limit, limit
	}
	return c.call(ctx, op, jsonRequest(http.MethodPatch, path+"/"+s.ID, body), settings)
}

// labels adds one, or changes or removes one.
func (c *caller) labels(ctx context.Context, project, path string, set ledger.Settings) ledger.Op {
	n := c.random.IntN(10)
	if len(set.Labels) == 0 || n < 5 && len(set.Labels) < mostLabels {
		op := c.name(ledger.AddLabel, project)
		op.Asked.Name, op.Asked.Color = "Label of "+op.ID, labelColors[c.random.IntN(len(labelColors))]
		return c.call(ctx, op, jsonRequest(http.MethodPost, path, map[string]any{"name": op.Asked.Name, "color": op.Asked.Color}), settings)
	}
	l := set.Labels[c.random.IntN(len(set.Labels))]
	if n < 7 {
		op := c.name(ledger.RemoveLabel, project)
		op.Part = l.ID
		return c.call(ctx, op, request{method: http.MethodDelete, path: path + "/" + l.ID}, settings)
	}
	op := c.name(ledger.ChangeLabel, project)
	op.Part, op.Asked.Name = l.ID, "Label called so by "+op.ID
	body := map[string]any{"name": op.Asked.Name}
	if n == 7 {
		to := c.random.IntN(len(set.Labels))
		op.Asked.Position, body["position"] = &to, to
	}
	return c.call(ctx, op, jsonRequest(http.MethodPatch, path+"/"+l.ID, body), settings)
}

// members gives somebody a role, which may be the one they have, or takes them out.
func (c *caller) members(ctx context.Context, project, path, person string) ledger.Op {
	if c.random.IntN(4) == 0 {
		op := c.name(ledger.RemoveMember, project)
		op.Part = person
		return c.call(ctx, op, request{method: http.MethodDelete, path: path + person}, settings)
	}
	op := c.name(ledger.SetMember, project)
	op.Part, op.Asked.Role = person, memberRoles[c.random.IntN(len(memberRoles))]
	return c.call(ctx, op, jsonRequest(http.MethodPut, path+person, map[string]any{"role": op.Asked.Role}), settings)
}

// views saves a new one, or replaces or removes one.
func (c *caller) views(ctx context.Context, project, path string, at *place) ledger.Op {
	known, some := oneOf(at, c.random, &at.views)
	at.mu.Lock()
	room := len(at.views) < mostViews
	at.mu.Unlock()
	n := c.random.IntN(10)
	switch {
	case some && n < 2:
		op := c.name(ledger.RemoveView, project)
		op.Part = known.id
		forget(at, &at.views, known)
		return c.call(ctx, op, request{method: http.MethodDelete, path: path + "/" + known.id}, nothing)
	case some && (n < 6 || !room):
		return c.replaceView(ctx, project, path, at, known)
	}
	op := c.name(ledger.AddView, project)
	r := c.viewRequest(&op, http.MethodPost, path)
	op = c.call(ctx, op, r, view)
	if op.Outcome == ledger.Acknowledged {
		remember(at, &at.views, viewed{op.Part, op.View.Version})
	}
	return op
}

// replaceView replaces a view, sometimes only if nobody else has.
func (c *caller) replaceView(ctx context.Context, project, path string, at *place, known viewed) ledger.Op {
	op := c.name(ledger.ReplaceView, project)
	op.Part = known.id
	r := c.viewRequest(&op, http.MethodPut, path+"/"+known.id)
	r.ifMatch = "*"
	if c.random.IntN(2) == 0 {
		op.Asked.IfVersion = known.version
		r.ifMatch = strconv.Quote(strconv.FormatInt(known.version, 10))
	}
	op = c.call(ctx, op, r, view)
	switch {
	case op.Outcome == ledger.Acknowledged:
		forget(at, &at.views, known)
		remember(at, &at.views, viewed{known.id, op.View.Version})
	case op.Status == http.StatusNotFound, op.Status == http.StatusPreconditionFailed:
		forget(at, &at.views, known)
	}
	return op
}

// viewRequest fills in what a view shall be.
func (c *caller) viewRequest(op *ledger.Op, method, path string) request {
	v := ledger.View{Name: "View of " + op.ID, Filter: strconv.Quote(op.ID), Layout: viewLayouts[c.random.IntN(len(viewLayouts))], Shared: c.random.IntN(2) == 0}
	op.Asked.View = &v
	return jsonRequest(method, path, map[string]any{"name": v.Name, "filter": v.Filter, "layout": v.Layout, "shared": v.Shared})
}
