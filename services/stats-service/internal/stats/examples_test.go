package stats_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
)

// example is five tasks whose statistics are worked out by hand below (all times UTC):
//
//	1: created Mar 2 09:00, doing Mar 3 09:00, done Mar 5 09:00                      lead 72 h, cycle 48 h
//	2: created Mar 2 10:00, done Mar 4 10:00, never in a doing state                 lead 48 h, cycle 48 h
//	3: created Mar 3 08:00, doing Mar 3 12:00, done Mar 4 12:00, reopened Mar 6 12:00 (doing)
//	4: created Mar 4 00:00, cancelled Mar 5 00:00
//	5: created Mar 4 06:00 done, released (done too) Mar 6 06:00, trashed Mar 7 06:00
func example() *statstest.World {
	w := statstest.New()
	t1 := w.Create(1, statstest.Todo, statstest.At("2026-03-02T09:00:00Z"), statstest.Change("priority", nil, 1), statstest.Change("estimate", nil, 3),
		statstest.Change("assignees", nil, []uuid.UUID{statstest.ID("person", 1), statstest.ID("person", 2)}))
	t2 := w.Create(2, statstest.Todo, statstest.At("2026-03-02T10:00:00Z"), statstest.Change("estimate", nil, 2), statstest.Change("labels", nil, []uuid.UUID{statstest.ID("label", 1)}))
	t3 := w.Create(3, statstest.Backlog, statstest.At("2026-03-03T08:00:00Z"), statstest.Change("due", nil, "2026-03-07"))
	t4 := w.Create(4, statstest.Backlog, statstest.At("2026-03-04T00:00:00Z"))
	t5 := w.Create(5, statstest.Done, statstest.At("2026-03-04T06:00:00Z"))
	w.Move(t1, statstest.Todo, statstest.Doing, statstest.At("2026-03-03T09:00:00Z"))
	w.Move(t1, statstest.Doing, statstest.Done, statstest.At("2026-03-05T09:00:00Z"))
	w.Move(t2, statstest.Todo, statstest.Done, statstest.At("2026-03-04T10:00:00Z"))
	w.Move(t3, statstest.Backlog, statstest.Doing, statstest.At("2026-03-03T12:00:00Z"))
	w.Move(t3, statstest.Doing, statstest.Done, statstest.At("2026-03-04T12:00:00Z"))
	w.Move(t3, statstest.Done, statstest.Doing, statstest.At("2026-03-06T12:00:00Z"))
	w.Move(t4, statstest.Backlog, statstest.Cancelled, statstest.At("2026-03-05T00:00:00Z"))
	w.Move(t5, statstest.Done, statstest.Released, statstest.At("2026-03-06T06:00:00Z"))
	w.Trash(t5, statstest.At("2026-03-07T06:00:00Z"))
	return w
}

func exampleInput(t *testing.T) stats.Input {
	t.Helper()
	days, err := stats.NewDays("2026-03-02", "2026-03-08", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return stats.Input{Key: "WEB", Now: statstest.At("2026-03-08T12:00:00Z"), Days: days}
}

func TestSummaryByHand(t *testing.T) {
	t.Parallel()
	s := must(stats.ComputeSummary(context.Background(), example().Fold(), exampleInput(t)))
	if s.Total != 4 || s.Open != 1 || s.Done != 2 || s.Cancelled != 1 || s.Overdue != 1 || s.Created != 4 || s.Completed != 2 {
		t.Errorf("summary %+v", s)
	}
	if *s.FirstDay != "2026-03-02" || s.ByPriority[1].Count != 1 || s.ByPriority[0].Count != 3 || s.ByPriority[0].Open != 1 {
		t.Errorf("first day %s, priorities %+v", *s.FirstDay, s.ByPriority)
	}
	if len(s.ByAssignee) != 3 || s.ByAssignee[0].ID != nil || s.ByAssignee[0].Count != 3 || s.ByAssignee[1].Count != 1 {
		t.Errorf("assignees %+v", s.ByAssignee)
	}
	counts := map[int]int{}
	for i, c := range s.ByState {
		counts[i] = c.Count
	}
	if want := map[int]int{0: 0, 1: 0, 2: 1, 3: 0, 4: 2, 5: 0, 6: 1}; !reflect.DeepEqual(counts, want) {
		t.Errorf("states %v, want %v", counts, want)
	}
}

func TestTimesByHand(t *testing.T) {
	t.Parallel()
	got := must(stats.ComputeTimes(context.Background(), example().Fold(), exampleInput(t)))
	hours := func(d stats.Distribution) []float64 {
		return []float64{*d.P50 / 3600, *d.P75 / 3600, *d.P85 / 3600, *d.P95 / 3600, *d.Mean / 3600}
	}
	// lead of 48 and 72 hours: type 7 puts p at 48 + 24p
	if got.Lead.Count != 2 || !reflect.DeepEqual(hours(got.Lead), []float64{60, 66, 68.4, 70.8, 60}) {
		t.Errorf("lead %v", hours(got.Lead))
	}
	if !reflect.DeepEqual(hours(got.Cycle), []float64{48, 48, 48, 48, 48}) {
		t.Errorf("cycle %v", hours(got.Cycle))
	}
	if len(got.Points) != 2 || got.Points[0].Key != "WEB-2" || got.Points[0].Started || got.Points[1].Key != "WEB-1" || !got.Points[1].Started {
		t.Errorf("points %+v", got.Points)
	}
}

func TestThroughputByHand(t *testing.T) {
	t.Parallel()
	got := must(stats.ComputeThroughput(context.Background(), example().Fold(), exampleInput(t)))
	var created, completed []int
	for _, d := range got.Days {
		created, completed = append(created, d.Created), append(completed, d.Completed)
	}
	// task 5 is in the trash, task 3 was reopened: neither counts, not even in the past
	if !reflect.DeepEqual(created, []int{2, 1, 1, 0, 0, 0, 0}) || !reflect.DeepEqual(completed, []int{0, 0, 1, 1, 0, 0, 0}) {
		t.Errorf("created %v, completed %v", created, completed)
	}
}

// TestEdgesOfThePeriod count: its first instant and its last microsecond, but nothing around them.
func TestEdgesOfThePeriod(t *testing.T) {
	t.Parallel()
	w := statstest.New()
	for i, at := range []string{"2026-03-01T23:59:59.999999Z", "2026-03-02T00:00:00Z", "2026-03-08T23:59:59.999999Z", "2026-03-09T00:00:00Z"} {
		w.Create(i, statstest.Done, statstest.At(at))
	}
	got := must(stats.ComputeThroughput(context.Background(), w.Fold(), exampleInput(t)))
	if got.Created != 2 || got.Days[0].Created != 1 || got.Days[6].Created != 1 || got.Days[0].Completed != 1 || got.Days[6].Completed != 1 {
		t.Errorf("throughput %+v", got)
	}
	if got := must(stats.ComputeTimes(context.Background(), w.Fold(), exampleInput(t))); got.Lead.Count != 2 {
		t.Errorf("times of %d tasks, want 2", got.Lead.Count)
	}
}

func TestFlowByHand(t *testing.T) {
	t.Parallel()
	got := must(stats.ComputeFlow(context.Background(), example().Fold(), exampleInput(t)))
	want := [][]int{ // backlog todo doing review done released cancelled
		{0, 2, 0, 0, 0, 0, 0},
		{0, 1, 2, 0, 0, 0, 0},
		{1, 0, 1, 0, 3, 0, 0},
		{0, 0, 0, 0, 4, 0, 1},
		{0, 0, 1, 0, 2, 1, 1},
		{0, 0, 1, 0, 2, 0, 1},
		{0, 0, 1, 0, 2, 0, 1},
	}
	for i, d := range got.Days {
		if !reflect.DeepEqual(d.Counts, want[i]) {
			t.Errorf("%s: %v, want %v", d.Date, d.Counts, want[i])
		}
	}
}

func TestBurnupByHand(t *testing.T) {
	t.Parallel()
	got := must(stats.ComputeBurnup(context.Background(), example().Fold(), exampleInput(t)))
	scope, completed := []int{2, 3, 5, 4, 4, 3, 3}, []int{0, 0, 1, 2, 2, 2, 2}
	points := []float64{0, 0, 2, 5, 5, 5, 5}
	for i, d := range got.Days {
		if d.Scope != scope[i] || d.Completed != completed[i] || d.ScopePoints != 5 || d.CompletedPoints != points[i] {
			t.Errorf("%+v, want scope %d completed %d points 5/%v", d, scope[i], completed[i], points[i])
		}
	}
	if got.Unestimated != 1 {
		t.Errorf("%d unestimated, want 1", got.Unestimated)
	}
}

func TestAgeingByHand(t *testing.T) {
	t.Parallel()
	got := must(stats.ComputeAgeing(context.Background(), example().Fold(), exampleInput(t)))
	if got.Count != 1 || got.OverP85 != 1 || got.Items[0].Key != "WEB-3" || got.Items[0].Title == "" {
		t.Fatalf("ageing %+v", got)
	}
	// started Mar 3 12:00, re-entered doing Mar 6 12:00, now Mar 8 12:00
	if got.Items[0].AgeSeconds != 120*3600 || got.Items[0].InStateSeconds != 48*3600 {
		t.Errorf("age %v in state %v", got.Items[0].AgeSeconds/3600, got.Items[0].InStateSeconds/3600)
	}
	if len(got.States) != 2 || got.States[0].Total != 1 || got.States[0].OverLimit {
		t.Errorf("wip %+v", got.States)
	}
	in := exampleInput(t)
	w := example()
	for n := 10; n < 12; n++ {
		w.Create(n, statstest.Doing, statstest.At("2026-03-07T00:00:00Z"))
	}
	in.Filter.Assignees = []uuid.UUID{statstest.ID("person", 1)}
	if got := must(stats.ComputeAgeing(context.Background(), w.Fold(), in)); got.Count != 0 || got.States[0].Total != 3 || !got.States[0].OverLimit {
		t.Errorf("a limit is about all tasks, whatever the filter: %+v", got.States)
	}
}

func TestOverdueByHand(t *testing.T) {
	t.Parallel()
	in := exampleInput(t)
	got := must(stats.ComputeOverdue(context.Background(), example().Fold(), in))
	if got.Count != 1 || got.Items[0].Key != "WEB-3" || got.Items[0].DaysOverdue != 1 {
		t.Errorf("overdue %+v", got)
	}
	in.Now = statstest.At("2026-03-07T23:00:00Z") // still the 7th in UTC
	if got := must(stats.ComputeOverdue(context.Background(), example().Fold(), in)); got.Count != 0 || got.DueToday != 1 {
		t.Errorf("on its day a task is not overdue: %+v", got)
	}
	in.Days = must(stats.NewDays("2026-03-02", "2026-03-08", mustZone("Europe/Berlin"))) // where it is the 8th
	if got := must(stats.ComputeOverdue(context.Background(), example().Fold(), in)); got.Count != 1 {
		t.Errorf("days are the viewer's: %+v", got)
	}
}

func TestPercentileByHand(t *testing.T) {
	t.Parallel()
	sample := []float64{15, 20, 35, 40, 50} // R: quantile(c(15,20,35,40,50), type=7)
	for p, want := range map[float64]float64{0: 15, 0.05: 16, 0.25: 20, 0.4: 29, 0.5: 35, 0.75: 40, 0.85: 44, 0.95: 48, 1: 50} {
		if got := stats.Percentile(sample, p); got-want > 1e-9 || want-got > 1e-9 {
			t.Errorf("p%v = %v, want %v", p*100, got, want)
		}
	}
	if got := stats.Percentile([]float64{7}, 0.95); got != 7 {
		t.Errorf("of one value: %v", got)
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	in := exampleInput(t)
	for _, c := range []struct {
		filter stats.Filter
		want   int
	}{
		{stats.Filter{}, 4},
		{stats.Filter{Priorities: []int{1}}, 1},
		{stats.Filter{Priorities: []int{0, 1}}, 4},
		{stats.Filter{Assignees: []uuid.UUID{statstest.ID("person", 2)}}, 1},
		{stats.Filter{Assignees: []uuid.UUID{uuid.Nil}}, 3},
		{stats.Filter{Labels: []uuid.UUID{statstest.ID("label", 1)}}, 1},
		{stats.Filter{Labels: []uuid.UUID{statstest.ID("label", 1)}, Priorities: []int{1}}, 0},
	} {
		in.Filter = c.filter
		if got := must(stats.ComputeSummary(context.Background(), example().Fold(), in)); got.Total != c.want {
			t.Errorf("%+v chooses %d, want %d", c.filter, got.Total, c.want)
		}
	}
}
