package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// remembered is how many comments and relations of a project clients come back to.
const remembered = 40

// remark is a comment as last seen, linked a relation.
type (
	remark struct{ task, comment string }
	linked struct{ kind, from, to string }
)

func (c *caller) comment(ctx context.Context, project string, t seen) ledger.Op {
	op := c.name(ledger.Comment, project)
	op.Tasks = []string{t.id}
	op.Asked.Body = "Said by " + op.ID
	return c.call(ctx, op, jsonRequest(http.MethodPost, "/api/v1/tasks/"+t.id+"/comments", map[string]any{"body": op.Asked.Body}),
		func(op *ledger.Op, body []byte) error {
			var made struct {
				ID string `json:"id"`
			}
			err := json.Unmarshal(body, &made)
			op.Comment = made.ID
			return err
		})
}

func (c *caller) editComment(ctx context.Context, project string, s remark) ledger.Op {
	op := c.name(ledger.EditComment, project)
	op.Tasks, op.Comment = []string{s.task}, s.comment
	op.Asked.Body = "Said better by " + op.ID
	r := jsonRequest(http.MethodPatch, "/api/v1/tasks/"+s.task+"/comments/"+s.comment, map[string]any{"body": op.Asked.Body})
	return c.call(ctx, op, r, func(op *ledger.Op, body []byte) error {
		var is struct {
			ID   string `json:"id"`
			Body string `json:"body"`
		}
		if err := json.Unmarshal(body, &is); err != nil {
			return fmt.Errorf("read a comment: %w", err)
		}
		if is.ID != op.Comment {
			return fmt.Errorf("the answer is comment %s", is.ID)
		}
		return nil
	})
}

func (c *caller) removeComment(ctx context.Context, project string, s remark) ledger.Op {
	op := c.name(ledger.RemoveComment, project)
	op.Tasks, op.Comment = []string{s.task}, s.comment
	return c.call(ctx, op, request{method: http.MethodDelete, path: "/api/v1/tasks/" + s.task + "/comments/" + s.comment}, nothing)
}

// relate relates two tasks. One blocks only those younger than itself, so that there is no circle.
func (c *caller) relate(ctx context.Context, project string, t, other seen) (ledger.Op, linked) {
	l := linked{kind: "relates", from: t.id, to: other.id}
	if c.random.IntN(2) == 0 {
		l = linked{kind: "blocks", from: min(t.id, other.id), to: max(t.id, other.id)}
	}
	return c.link(ctx, ledger.Relate, http.MethodPut, project, l), l
}

func (c *caller) unrelate(ctx context.Context, project string, l linked) ledger.Op {
	return c.link(ctx, ledger.Unrelate, http.MethodDelete, project, l)
}

func (c *caller) link(ctx context.Context, kind ledger.Kind, method, project string, l linked) ledger.Op {
	op := c.name(kind, project)
	op.Tasks, op.Asked.Relation = []string{l.from, l.to}, l.kind
	return c.call(ctx, op, request{method: method, path: "/api/v1/tasks/" + l.from + "/relations/" + l.kind + "/" + l.to}, nothing)
}

func (c *caller) rename(ctx context.Context, project string) ledger.Op {
	op := c.name(ledger.Rename, project)
	op.Asked.Name = "Drill " + project + " as called by " + op.ID
	r := jsonRequest(http.MethodPatch, "/api/v1/projects/"+project, map[string]any{"name": op.Asked.Name})
	r.ifMatch = "*"
	return c.call(ctx, op, r, settings)
}

// nothing reads an answer without content.
func nothing(*ledger.Op, []byte) error { return nil }

// discuss makes an operation on comments and relations that are there, or on the project; ok is false if there is none.
func (l *Load) discuss(ctx context.Context, c *caller, project string, at *place) (op ledger.Op, ok bool) {
	s, anySaid := oneOf(at, c.random, &at.remarks)
	k, anyLink := oneOf(at, c.random, &at.links)
	switch n := c.random.IntN(20); {
	case n == 0:
		return c.rename(ctx, project), true
	case n < 7 && anySaid:
		op = c.editComment(ctx, project, s)
	case n < 11 && anySaid:
		op = c.removeComment(ctx, project, s)
		forget(at, &at.remarks, s)
	case n < 14 && anyLink:
		op = c.unrelate(ctx, project, k)
		forget(at, &at.links, k)
	default:
		t, other := at.pick(c.random), at.pick(c.random)
		if t.id == other.id {
			return op, false
		}
		op, k = c.relate(ctx, project, t, other)
		if op.Outcome == ledger.Acknowledged {
			remember(at, &at.links, k)
		}
	}
	return op, true
}

func oneOf[T any](at *place, random *rand.Rand, list *[]T) (one T, ok bool) {
	at.mu.Lock()
	defer at.mu.Unlock()
	if len(*list) == 0 {
		return one, false
	}
	return (*list)[random.IntN(len(*list))], true
}

// remember adds to a list, in the place of the oldest if it is long.
func remember[T any](at *place, list *[]T, one T) {
	at.mu.Lock()
	defer at.mu.Unlock()
	if *list = append(*list, one); len(*list) > remembered {
		*list = (*list)[1:]
	}
}

// forget takes what was removed off a list, if nobody else has.
func forget[T comparable](at *place, list *[]T, one T) {
	at.mu.Lock()
	defer at.mu.Unlock()
	for i, other := range *list {
		if other == one {
			*list = append((*list)[:i:i], (*list)[i+1:]...)
			return
		}
	}
}
