package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// How patient clients are.
const (
	attemptTimeout = 8 * time.Second        // for one answer
	patience       = 40 * time.Second       // with one operation, over all attempts
	retryPause     = 150 * time.Millisecond // between two attempts, with as much again at random
	maxAnswer      = 4 << 20
)

// request is what an operation sends, the same at every attempt.
type request struct {
	method, path, contentType string
	body                      []byte
	ifMatch                   string
}

// verdict is what one attempt tells.
type verdict int

const (
	done    verdict = iota // a 2xx
	refused                // a clear no
	busy                   // certainly not done, worth another attempt
	unclear                // may have been done
)

// caller sends operations and records them.
type caller struct {
	http   *http.Client
	base   string
	log    *ledger.Log
	since  func() time.Duration
	number int
	random *rand.Rand
	count  int

	walksAway int           // see Config
	observe   func(Attempt) // see Config
}

// Attempt is one request of an operation, as its client saw it.
type Attempt struct {
	Client     int
	Kind       ledger.Kind
	Start, End time.Duration // on the run's clock
	Failed     bool          // no answer, a broken one, 429 or 5xx; other answers of 4xx are good: the client was wrong
}

// name begins an operation.
func (c *caller) name(kind ledger.Kind, project string) ledger.Op {
	c.count++
	return ledger.Op{
		ID: fmt.Sprintf("c%d-%d", c.number, c.count), Trace: fmt.Sprintf("%016x%016x", c.random.Uint64()|1, c.random.Uint64()|1),
		Client: c.number, Kind: kind, Project: project,
	}
}

// call carries an operation out and records it. An operation under way when ctx ends is still brought to an end: what
// becomes of it must be known. read takes the body of a 2xx.
func (c *caller) call(ctx context.Context, op ledger.Op, r request, read func(op *ledger.Op, body []byte) error) ledger.Op {
	ctx = context.WithoutCancel(ctx)
	op.Start = c.since()
	leave := c.walksAway > 0 && c.random.IntN(c.walksAway) == 0
	doubt := false
	for {
		tries := tries{since: c.since}
		v, body, err := c.attempt(ctx, &op, r, &tries)
		op.Attempts += tries.count()
		if v == done {
			if err = read(&op, body); err != nil {
				v = unclear // a broken answer is no answer
			}
		}
		op.Error = ""
		if err != nil {
			op.Error = err.Error()
		}
		if c.observe != nil {
			tries.tell(c.observe, Attempt{Client: c.number, Kind: op.Kind, Failed: v == busy || v == unclear})
		}
		doubt = doubt || v == unclear
		switch {
		case v == done:
			op.Outcome = ledger.Acknowledged
		case v == refused && !doubt:
			op.Outcome = ledger.Refused
		case v == refused, v == unclear && leave, c.since()-op.Start > patience:
			op.Outcome = ledger.Unknown
			if !doubt {
				op.Outcome = ledger.Refused
			}
		default:
			<-time.After(retryPause + time.Duration(c.random.Int64N(int64(retryPause)))) // no context ends an operation
			continue
		}
		op.End = c.since()
		c.log.Add(op)
		return op
	}
}

// oneTask reads an answer that is a task.
func oneTask(op *ledger.Op, body []byte) error {
	var t ledger.Task
	if err := json.Unmarshal(body, &t); err != nil {
		return fmt.Errorf("read a task: %w", err)
	}
	op.Answer = []ledger.Task{t}
	return nil
}

// manyTasks reads an answer with a list of tasks.
func manyTasks(op *ledger.Op, body []byte) error {
	var page struct {
		Tasks []ledger.Task `json:"tasks"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return fmt.Errorf("read tasks: %w", err)
	}
	op.Answer = page.Tasks
	return nil
}

func jsonRequest(method, path string, body any) request {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // maps of texts and numbers
	}
	return request{method: method, path: path, contentType: "application/json", body: b}
}

// create makes a task.
func (c *caller) create(ctx context.Context, project string, place map[string]any, asked ledger.Asked) ledger.Op {
	op := c.name(ledger.Create, project)
	asked.Title = "Task " + op.ID
	op.Asked = asked
	body := map[string]any{"title": asked.Title}
	maps.Copy(body, place)
	return c.call(ctx, op, jsonRequest(http.MethodPost, "/api/v1/projects/"+project+"/tasks", body), oneTask)
}

// update changes a task's description to the operation's name, and now and then more.
func (c *caller) update(ctx context.Context, project string, t seen, state string, labels []string) ledger.Op {
	op := c.name(ledger.Update, project)
	op.Tasks = []string{t.id}
	op.Asked.Description = "Changed by " + op.ID
	body := map[string]any{"description": op.Asked.Description}
	if c.random.IntN(3) == 0 {
		op.Asked.Title = "Task renamed by " + op.ID
		body["title"] = op.Asked.Title
	}
	if c.random.IntN(3) == 0 {
		op.Asked.State = state
		body["state"] = state
	}
	if len(labels) > 0 && c.random.IntN(3) == 0 {
		op.Asked.Labels, body["labels"] = labels, labels
	}
	r := jsonRequest(http.MethodPatch, "/api/v1/tasks/"+t.id, body)
	r.ifMatch = "*"
	if c.random.IntN(3) > 0 {
		op.Asked.IfVersion = t.version
		r.ifMatch = strconv.Quote(strconv.FormatInt(t.version, 10))
	}
	return c.call(ctx, op, r, oneTask)
}

func (c *caller) trash(ctx context.Context, project string, t seen) ledger.Op {
	op := c.name(ledger.Trash, project)
	op.Tasks = []string{t.id}
	return c.call(ctx, op, request{method: http.MethodDelete, path: "/api/v1/tasks/" + t.id}, oneTask)
}

func (c *caller) restore(ctx context.Context, project string, t seen) ledger.Op {
	op := c.name(ledger.Restore, project)
	op.Tasks = []string{t.id}
	return c.call(ctx, op, request{method: http.MethodPost, path: "/api/v1/tasks/" + t.id + "/restore"}, oneTask)
}

// move puts a task beside another one, or to an end.
func (c *caller) move(ctx context.Context, project string, t, other seen, state string) ledger.Op {
	op := c.name(ledger.Move, project)
	op.Tasks = []string{t.id}
	body := map[string]any{}
	switch n := c.random.IntN(8); {
	case n == 0:
		op.Asked.Top, body["top"] = true, true
	case n == 1:
		op.Asked.Bottom, body["bottom"] = true, true
	case n < 5:
		op.Asked.Before, body["before"] = other.id, other.id
	default:
		op.Asked.After, body["after"] = other.id, other.id
	}
	if c.random.IntN(2) == 0 {
		op.Asked.State, body["state"] = state, state
	}
	return c.call(ctx, op, jsonRequest(http.MethodPost, "/api/v1/tasks/"+t.id+"/move", body), oneTask)
}

// bulk gives several tasks one estimate that no other operation gives, and now and then a label.
func (c *caller) bulk(ctx context.Context, project string, tasks []seen, labels []string) ledger.Op {
	op := c.name(ledger.Bulk, project)
	for _, t := range tasks {
		op.Tasks = append(op.Tasks, t.id)
	}
	estimate := float64(c.number*100_000+c.count) / 1000
	op.Asked.Estimate = &estimate
	change := map[string]any{"estimate": estimate}
	if len(labels) > 0 && c.random.IntN(2) == 0 {
		op.Asked.AddLabel, change["addLabels"] = labels[0], labels[:1]
	}
	body := map[string]any{"tasks": op.Tasks, "change": change}
	return c.call(ctx, op, jsonRequest(http.MethodPost, "/api/v1/projects/"+project+"/tasks/bulk", body), manyTasks)
}

// importRows imports a small file. Its rows have names of their own, so that importing them again adds nothing.
func (c *caller) importRows(ctx context.Context, project string, rows int) ledger.Op {
	op := c.name(ledger.Import, project)
	var csv strings.Builder
	csv.WriteString("id,title,created\n")
	for i := range rows {
		title := fmt.Sprintf("Row %d of %s", i, op.ID)
		op.Asked.Rows = append(op.Asked.Rows, title)
		fmt.Fprintf(&csv, "%s-%d,%s,2026-01-05T09:00:00Z\n", op.ID, i, title)
	}
	r := request{method: http.MethodPost, path: "/api/v1/projects/" + project + "/import?format=csv", contentType: "text/csv", body: []byte(csv.String())}
	return c.call(ctx, op, r, func(_ *ledger.Op, body []byte) error {
		var report struct {
			Tasks int `json:"tasks"`
			Known int `json:"known"`
		}
		if err := json.Unmarshal(body, &report); err != nil {
			return fmt.Errorf("read an import's report: %w", err)
		}
		if report.Tasks+report.Known != rows {
			return fmt.Errorf("an import of %d rows reports %d new and %d known tasks", rows, report.Tasks, report.Known)
		}
		return nil
	})
}

// read reads a task.
func (c *caller) read(ctx context.Context, project string, t seen) ledger.Op {
	op := c.name(ledger.Read, project)
	op.Tasks = []string{t.id}
	return c.call(ctx, op, request{method: http.MethodGet, path: "/api/v1/tasks/" + t.id}, oneTask)
}
