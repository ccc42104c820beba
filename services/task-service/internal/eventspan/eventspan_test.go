package eventspan

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

const sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestBudgetGivesTheFirstEventsOfATraceSpansAndRemembersThem(t *testing.T) {
	t.Parallel()
	var b Budget
	ask := func(pos int64) bool { return Sampled(b.Limit(sampled, pos)) }
	for pos := range int64(100) {
		want := pos < maxSpansPerTrace
		for range 3 { // the attempts of a relay that cannot publish
			if got := ask(pos + 1); got != want {
				t.Fatalf("position %d gets a span: %t, want %t", pos+1, got, want)
			}
		}
	}
	if got := b.Limit(sampled, 200); got != strings.TrimSuffix(sampled, "01")+"00" {
		t.Errorf("beyond the budget the trace goes on as %q", got)
	}
}

func TestBudgetLetsOtherTracesAndNonsenseAlone(t *testing.T) {
	t.Parallel()
	var b Budget
	unsampled := strings.TrimSuffix(sampled, "01") + "00"
	if got := b.Limit(unsampled, 1); got != unsampled {
		t.Errorf("an unsampled one became %q", got)
	}
	for _, bad := range []string{"", "x", sampled + "-01"} {
		if got := b.Limit(bad, 1); got != "" {
			t.Errorf("%q became %q", bad, got)
		}
	}
	for i := range 3 * maxTraces { // bounded, however many traces there are
		tp := fmt.Sprintf("00-%032x-b7ad6b7169203331-01", i+1)
		if b.Limit(tp, int64(i)+1) != tp || len(b.spent) > maxTraces {
			t.Fatalf("trace %d: %d remembered", i, len(b.spent))
		}
	}
}

func TestAttributesNameTheEventAndNothingPeopleWrote(t *testing.T) {
	t.Parallel()
	e := history.Event{
		Pos: 7, ProjectID: uuid.UUID{15: 1}, Aggregate: history.OfTask, AggregateID: uuid.UUID{15: 2}, Kind: history.TaskChanged,
		Changes: []history.Change{history.NewChange(history.FieldTitle, nil, "Secret")}, Traceparent: sampled, Recorded: time.Now(),
	}
	got := fmt.Sprint(Attributes(e))
	for _, want := range []string{e.AggregateID.String(), e.ProjectID.String(), "7", string(history.TaskChanged)} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	if strings.Contains(got, "Secret") {
		t.Errorf("%s tells a title", got)
	}
	e.Aggregate = history.OfProject
	if got := fmt.Sprint(Attributes(e)); strings.Contains(got, string(attrTask)) {
		t.Errorf("a project's event is about a task: %s", got)
	}
	if ctx := Context(context.Background(), e); telemetry.TraceID(ctx) != sampled[3:35] {
		t.Errorf("context in trace %q", telemetry.TraceID(ctx))
	}
	if Late(e, e.Recorded.Add(LateAfter)) || !Late(e, e.Recorded.Add(LateAfter+time.Nanosecond)) {
		t.Error("an event is late after a minute")
	}
}
