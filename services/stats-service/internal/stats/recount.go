package stats

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Difference is one value of a projection that a recount contradicts.
type Difference struct {
	Kind    string    `json:"kind"` // task, transition, state or cursor
	Project uuid.UUID `json:"project"`
	ID      string    `json:"id"` // of the task or state; for a transition task/seq
	Field   string    `json:"field"`
	Want    string    `json:"want"` // by recount
	Have    string    `json:"have"` // in the projection
}

// Verification is the outcome of a comparison of the projections with a recount.
type Verification struct {
	Equal       bool         `json:"equal"` // no difference and nothing parked
	Pos         int64        `json:"pos"`
	Generation  int64        `json:"generation"`
	Tasks       int          `json:"tasks"` // compared
	Transitions int          `json:"transitions"`
	States      int          `json:"states"`
	Parked      int          `json:"parked"` // aggregates left out
	Count       int          `json:"count"`  // of all differences
	Differences []Difference `json:"differences"`
	TookSeconds float64      `json:"tookSeconds"`

	limit int
}

// NewVerification lists the first limit differences and counts all.
func NewVerification(limit int) *Verification {
	return &Verification{limit: limit, Differences: []Difference{}}
}

// Add counts a difference.
func (v *Verification) Add(d Difference) {
	v.Count++
	if len(v.Differences) < v.limit {
		v.Differences = append(v.Differences, d)
	}
}

// Recount works out what the projection of one task must be at position pos from the other side: from its row in tasks
// as it is now, with the events beyond pos (or without one yet) undone, and from its list of events. row and all of
// events, sorted by seq, come from one snapshot. It shares no code with [Work] but the decoding of values, so that a
// fault of one shows. task is nil if the task did not exist then.
func Recount(row *Task, events []Event, pos int64, category func(state uuid.UUID) Category) (task *Task, transitions []Transition, err error) {
	first := slices.IndexFunc(events, func(e Event) bool { return e.Pos == 0 || e.Pos > pos })
	if first < 0 {
		first = len(events)
	}
	past, future := events[:first], events[first:]
	if len(past) == 0 {
		return nil, nil, nil
	}
	want := *row
	for _, e := range slices.Backward(future) {
		for _, c := range e.Changes {
			if err := setAttribute(&want, c.Field, c.Before); err != nil && !errors.Is(err, errEmptyState) {
				return nil, nil, fmt.Errorf("event %d undone: %w", e.Seq, err)
			}
		}
	}
	h, err := readHistory(past, category)
	if err != nil {
		return nil, nil, err
	}
	want.Seq, want.Entered = past[len(past)-1].Seq, h.entered
	if len(future) > 0 { // what cannot be undone from the row is known from the past alone
		want.Started, want.Completed, want.Trashed = h.started, h.completed, h.trashed
	}
	return &want, h.transitions, nil
}

type pastOfTask struct {
	entered                     time.Time
	started, completed, trashed *time.Time
	transitions                 []Transition
}

// readHistory reads off when a task entered its states and when it was in the trash.
func readHistory(events []Event, category func(uuid.UUID) Category) (pastOfTask, error) {
	type entry struct {
		at    time.Time
		state uuid.UUID
	}
	var h pastOfTask
	var entries []entry
	var place uuid.UUID
	for _, e := range events {
		if c, ok := e.Change("state"); ok && (e.Kind == taskCreated || e.Kind == taskChanged) {
			state, err := decodeID(c.After)
			if err != nil {
				return h, fmt.Errorf("event %d: state: %w", e.Seq, err)
			}
			if len(entries) == 0 || entries[len(entries)-1].state != state {
				entries = append(entries, entry{e.Occurred, state})
			}
		}
		if e.Kind == taskTrashed && h.trashed == nil {
			h.trashed = &e.Occurred
		}
		if e.Kind == taskRestored {
			h.trashed = nil
		}
		next := uuid.Nil
		if h.trashed == nil && len(entries) > 0 {
			next = entries[len(entries)-1].state
		}
		if next != place {
			h.transitions = append(h.transitions, Transition{Task: e.ID, Seq: e.Seq, At: e.Occurred, From: place, To: next})
			place = next
		}
	}
	for i := range entries {
		if category(entries[i].state) == Doing {
			h.started = &entries[i].at
			break
		}
	}
	if n := len(entries); n > 0 {
		h.entered = entries[n-1].at
		if category(entries[n-1].state) == Done {
			h.completed = &entries[n-1].at
		}
	}
	return h, nil
}

// CompareTask adds the differences between what a task's projection should be and what it is. Either may be nil.
func (v *Verification) CompareTask(want, have *Task) {
	v.Tasks++
	switch {
	case want == nil && have == nil:
		v.Tasks--
		return
	case want == nil:
		v.Add(Difference{Kind: "task", Project: have.Project, ID: have.ID.String(), Field: "exists", Want: "false", Have: "true"})
		return
	case have == nil:
		v.Add(Difference{Kind: "task", Project: want.Project, ID: want.ID.String(), Field: "exists", Want: "true", Have: "false"})
		return
	}
	field := func(name, w, h string) {
		if w != h {
			v.Add(Difference{Kind: "task", Project: want.Project, ID: want.ID.String(), Field: name, Want: w, Have: h})
		}
	}
	field("project", want.Project.String(), have.Project.String())
	field("number", strconv.FormatInt(want.Number, 10), strconv.FormatInt(have.Number, 10))
	field("state", want.State.String(), have.State.String())
	field("priority", strconv.Itoa(want.Priority), strconv.Itoa(have.Priority))
	field("assignees", idSet(want.Assignees), idSet(have.Assignees))
	field("labels", idSet(want.Labels), idSet(have.Labels))
	field("due", string(want.Due), string(have.Due))
	field("estimate", number(want.Estimate), number(have.Estimate))
	field("created", instant(&want.Created), instant(&have.Created))
	field("entered", instant(&want.Entered), instant(&have.Entered))
	field("started", instant(want.Started), instant(have.Started))
	field("completed", instant(want.Completed), instant(have.Completed))
	field("trashed", instant(want.Trashed), instant(have.Trashed))
	field("seq", strconv.FormatInt(want.Seq, 10), strconv.FormatInt(have.Seq, 10))
}

// CompareTransitions adds the differences between two lists of a task's transitions, both sorted by seq.
func (v *Verification) CompareTransitions(project uuid.UUID, want, have []Transition) {
	show := func(t *Transition) string {
		if t == nil {
			return ""
		}
		return fmt.Sprintf("%s from %s to %s", instant(&t.At), t.From, t.To)
	}
	compare := func(w, h *Transition) {
		v.Transitions++
		if ws, hs := show(w), show(h); ws != hs {
			t := w
			if t == nil {
				t = h
			}
			v.Add(Difference{
				Kind: "transition", Project: project, ID: fmt.Sprintf("%s/%d", t.Task, t.Seq), Field: "transition", Want: ws, Have: hs,
			})
		}
	}
	for len(want) > 0 || len(have) > 0 {
		switch {
		case len(have) == 0 || len(want) > 0 && want[0].Seq < have[0].Seq:
			compare(&want[0], nil)
			want = want[1:]
		case len(want) == 0 || have[0].Seq < want[0].Seq:
			compare(nil, &have[0])
			have = have[1:]
		default:
			compare(&want[0], &have[0])
			want, have = want[1:], have[1:]
		}
	}
}

// CompareStates adds the differences between the states of a project and their projection.
func (v *Verification) CompareStates(project uuid.UUID, want, have []State) {
	limit := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	show := func(s State) string {
		return fmt.Sprintf("%q %s limit %s archived %t", s.Name, s.Category, limit(s.WIPLimit), s.Archived)
	}
	projected := make(map[uuid.UUID]State, len(have))
	for _, s := range have {
		projected[s.ID] = s
	}
	for _, s := range want {
		v.States++
		h, ok := projected[s.ID]
		delete(projected, s.ID)
		if !ok || show(s) != show(h) {
			d := Difference{Kind: "state", Project: project, ID: s.ID.String(), Field: "state", Want: show(s)}
			if ok {
				d.Have = show(h)
			}
			v.Add(d)
		}
	}
	for _, s := range projected {
		if !s.Archived { // history keeps states that were removed
			v.Add(Difference{Kind: "state", Project: project, ID: s.ID.String(), Field: "state", Have: show(s)})
		}
	}
}

func idSet(ids []uuid.UUID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	slices.Sort(texts)
	return fmt.Sprint(texts)
}

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

func instant(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
