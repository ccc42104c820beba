package stats_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
)

// naiveTask is a task worked out from its whole list of events, again for every question.
type naiveTask struct {
	id        uuid.UUID
	events    []stats.Event
	state     uuid.UUID
	trashed   bool
	created   time.Time
	started   *time.Time
	completed *time.Time
	attrs     map[string]json.RawMessage
}

// naive looks at each task's events up to an instant (zero: all) and describes the task as it stood then.
func naive(w *statstest.World, until time.Time) []naiveTask {
	var order []uuid.UUID
	byTask := map[uuid.UUID][]stats.Event{}
	for _, e := range w.Events {
		if e.Aggregate != stats.OfTask || !until.IsZero() && !e.Occurred.Before(until) {
			continue
		}
		if byTask[e.ID] == nil {
			order = append(order, e.ID)
		}
		byTask[e.ID] = append(byTask[e.ID], e)
	}
	var out []naiveTask
	for _, task := range order {
		n := naiveTask{id: task, events: byTask[task], created: byTask[task][0].Occurred, attrs: map[string]json.RawMessage{}}
		for _, e := range n.events {
			if e.Kind == "task.trashed" || e.Kind == "task.restored" {
				n.trashed = e.Kind == "task.trashed"
			}
			for _, c := range e.Changes {
				if c.Field != "state" {
					n.attrs[c.Field] = c.After
					continue
				}
				var to uuid.UUID
				if err := json.Unmarshal(c.After, &to); err != nil {
					panic(err)
				}
				if to == n.state {
					continue
				}
				n.state, n.completed = to, nil
				when := e.Occurred
				if category(w, to) == stats.Done {
					n.completed = &when
				}
				if category(w, to) == stats.Doing && n.started == nil {
					n.started = &when
				}
			}
		}
		out = append(out, n)
	}
	return out
}

func category(w *statstest.World, state uuid.UUID) stats.Category {
	for _, s := range w.States {
		if s.ID == state {
			return s.Category
		}
	}
	return ""
}

func (n *naiveTask) has(field string, one uuid.UUID) bool {
	var ids []uuid.UUID
	if raw := n.attrs[field]; raw != nil {
		if err := json.Unmarshal(raw, &ids); err != nil {
			panic(err)
		}
	}
	return one == uuid.Nil && len(ids) == 0 || one != uuid.Nil && slices.Contains(ids, one)
}

// countSecondByHour walks a day in steps to find its end without any arithmetic on offsets.
func endOfDay(day stats.Date, zone *time.Location) time.Time {
	t := statstest.At(string(day) + "T12:00:00Z")
	for stats.DateOf(t, zone) > day {
		t = t.Add(-time.Hour)
	}
	for stats.DateOf(t, zone) <= day {
		t = t.Add(15 * time.Minute)
	}
	return t.Truncate(15 * time.Minute)
}

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Kiritimati"}

// TestAgainstNaive compares every statistic with one worked out from the whole event lists.
func TestAgainstNaive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := statstest.Random(t)
		src := w.Fold()
		if len(src.Work.Parked) > 0 {
			t.Fatalf("parked: %+v", src.Work.Parked)
		}
		zone := mustZone(rapid.SampledFrom(zones).Draw(t, "zone"))
		now := statstest.At("2026-03-20T10:00:00Z")
		days, err := stats.NewDays("2026-02-10", "2026-03-31", zone)
		if err != nil {
			t.Fatal(err)
		}
		in := stats.Input{Key: "WEB", Now: now, Days: days}
		if rapid.Bool().Draw(t, "filtered") {
			in.Filter.Assignees = []uuid.UUID{rapid.SampledFrom([]uuid.UUID{uuid.Nil, statstest.ID("person", 1)}).Draw(t, "assignee")}
		}
		chosen := map[uuid.UUID]bool{}
		present := naive(w, time.Time{})
		for i := range present {
			n := &present[i]
			chosen[n.id] = in.Filter.Empty() || n.has("assignees", in.Filter.Assignees[0])
		}
		checkNow(t, w, src, in, present, chosen)
		checkDays(t, w, src, in, present, chosen)
	})
}

// checkNow compares what depends on present states only.
func checkNow(t *rapid.T, w *statstest.World, src stats.Source, in stats.Input, present []naiveTask, chosen map[uuid.UUID]bool) {
	ctx := context.Background()
	var total, open, overdue, ageing int
	var lead, cycle []float64
	today := string(stats.DateOf(in.Now, in.Days.Zone()))
	for _, n := range present {
		if n.trashed || !chosen[n.id] {
			continue
		}
		total++
		var due string
		if raw := n.attrs["due"]; raw != nil {
			if err := json.Unmarshal(raw, &due); err != nil {
				t.Fatal(err)
			}
		}
		switch category(w, n.state) {
		case stats.Backlog, stats.Todo, stats.Doing:
			open++
			if due != "" && due < today {
				overdue++
			}
		case stats.Done:
			first, end := endOfDay(in.Days.From().Add(-1), in.Days.Zone()), endOfDay(in.Days.To(), in.Days.Zone())
			if !n.completed.Before(first) && n.completed.Before(end) {
				lead = append(lead, n.completed.Sub(n.created).Seconds())
				from := n.created
				if n.started != nil {
					from = *n.started
				}
				cycle = append(cycle, n.completed.Sub(from).Seconds())
			}
		}
		if category(w, n.state) == stats.Doing {
			ageing++
		}
	}
	summary := must(stats.ComputeSummary(ctx, src, in))
	times := must(stats.ComputeTimes(ctx, src, in))
	if summary.Total != total || summary.Open != open || summary.Overdue != overdue || summary.Completed != len(lead) {
		t.Fatalf("summary %+v, want total %d open %d overdue %d completed %d", summary, total, open, overdue, len(lead))
	}
	if a := must(stats.ComputeAgeing(ctx, src, in)); a.Count != ageing {
		t.Fatalf("ageing %d, want %d", a.Count, ageing)
	}
	if o := must(stats.ComputeOverdue(ctx, src, in)); o.Count != overdue {
		t.Fatalf("overdue %d, want %d", o.Count, overdue)
	}
	for _, c := range []struct {
		got    stats.Distribution
		sample []float64
	}{{times.Lead, lead}, {times.Cycle, cycle}} {
		if c.got.Count != len(c.sample) {
			t.Fatalf("%d times, want %d", c.got.Count, len(c.sample))
		}
		if c.got.Count > 0 && math.Abs(*c.got.P85-type7(c.sample, 0.85)) > 1e-6 {
			t.Fatalf("p85 %v, want %v", *c.got.P85, type7(c.sample, 0.85))
		}
	}
}

// type7 follows the definition word by word: the share p of the way through the sorted sample's n−1 gaps.
func type7(sample []float64, p float64) float64 {
	slices.Sort(sample)
	for i := range len(sample) - 1 {
		a, b := float64(i)/float64(len(sample)-1), float64(i+1)/float64(len(sample)-1)
		if p >= a && p < b {
			return sample[i] + (p-a)/(b-a)*(sample[i+1]-sample[i])
		}
	}
	return sample[len(sample)-1]
}

// checkDays compares each day of the period with the world as it stood at its end.
func checkDays(t *rapid.T, w *statstest.World, src stats.Source, in stats.Input, present []naiveTask, chosen map[uuid.UUID]bool) {
	ctx := context.Background()
	flow := must(stats.ComputeFlow(ctx, src, in))
	burnup := must(stats.ComputeBurnup(ctx, src, in))
	throughput := must(stats.ComputeThroughput(ctx, src, in))
	for i := range in.Days.Len() {
		day := in.Days.Date(i)
		start, end := endOfDay(day.Add(-1), in.Days.Zone()), endOfDay(day, in.Days.Zone())
		within := func(u time.Time) bool { return !u.Before(start) && u.Before(end) }
		perState := map[uuid.UUID]int{}
		scope, completed, created, finished := 0, 0, 0, 0
		for _, n := range naive(w, end) {
			if n.trashed || !chosen[n.id] {
				continue
			}
			perState[n.state]++
			if category(w, n.state) != stats.Cancelled {
				scope++
			}
		}
		for _, n := range present {
			if n.trashed || !chosen[n.id] {
				continue
			}
			if within(n.created) {
				created++
			}
			if n.completed != nil && n.completed.Before(end) {
				completed++
			}
			if n.completed != nil && within(*n.completed) {
				finished++
			}
		}
		for j, s := range flow.States {
			if flow.Days[i].Counts[j] != perState[s.ID] {
				t.Fatalf("%s %s: %d, want %d", day, s.Name, flow.Days[i].Counts[j], perState[s.ID])
			}
		}
		if b := burnup.Days[i]; b.Scope != scope || b.Completed != completed || b.Date != day {
			t.Fatalf("burn-up %+v, want scope %d completed %d", b, scope, completed)
		}
		if d := throughput.Days[i]; d.Created != created || d.Completed != finished || d.Date != day {
			t.Fatalf("throughput %+v, want created %d completed %d", d, created, finished)
		}
	}
}

// TestRecountUndoes cuts histories anywhere: undoing the rest from the present row gives what folding the head gave.
func TestRecountUndoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := statstest.Random(t)
		pos := int64(rapid.IntRange(1, len(w.Events)).Draw(t, "pos"))
		now := w.Fold()
		head := &statstest.World{Project: w.Project, States: w.States, Events: w.Events[:pos]}
		then := head.Fold()
		v := stats.NewVerification(10)
		for task, row := range now.Work.Tasks {
			var events []stats.Event
			for _, e := range w.Events {
				if e.ID == task {
					events = append(events, e)
				}
			}
			want, transitions, err := stats.Recount(row, events, pos, func(s uuid.UUID) stats.Category { return category(w, s) })
			if err != nil {
				t.Fatal(err)
			}
			v.CompareTask(want, then.Work.Tasks[task])
			var have []stats.Transition
			for _, tr := range then.Work.Transitions {
				if tr.Task == task {
					have = append(have, tr)
				}
			}
			v.CompareTransitions(w.Project, transitions, have)
		}
		if v.Count != 0 {
			t.Fatalf("differences: %+v", v.Differences)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func mustZone(name string) *time.Location { return must(time.LoadLocation(name)) }
