package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "github.com/tallyboard/tallyboard/proto/gen/tallyboard/events/v1"
	"github.com/tallyboard/tallyboard/services/internal/kit/opstatus"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/storetest"
)

const processName = "process tasks.{project}.{task}"

// cause is the span that published an event, n of a test.
func cause(n int) (traceID, spanID, traceparent string) {
	traceID, spanID = fmt.Sprintf("%032x", 0xabc000+n), fmt.Sprintf("%016x", 0xdef000+n)
	return traceID, spanID, "00-" + traceID + "-" + spanID + "-01"
}

// pipeline is a service that has caught up, and the history it follows.
type pipeline struct {
	*service
	d     *storetest.Database
	w     *statstest.World
	spans *testkit.Spans
	done  int // events written
}

// follow starts a service on a fresh history. Nothing is recorded but what events ask for.
func follow(t *testing.T, d *storetest.Database, natsURL string, more ...string) *pipeline {
	t.Helper()
	p := &pipeline{d: d, w: statstest.New(), spans: &testkit.Spans{}}
	p.write(t)
	p.service = startTraced(t, environ(d.URL, natsURL, append([]string{"TRACE_SAMPLE_RATIO=0", "STATS_MONITOR_INTERVAL=50ms"}, more...)...), p.spans)
	p.caughtUp(p.done)
	return p
}

// add adds the creation of a task that was recorded some time ago.
func (p *pipeline) add(n int, ago time.Duration, traceparent string) stats.Event {
	p.w.Create(n, statstest.Todo, time.Now().UTC().Truncate(time.Microsecond).Add(-ago))
	e := &p.w.Events[len(p.w.Events)-1]
	e.Traceparent = traceparent
	return *e
}

// write writes what was added, in one transaction.
func (p *pipeline) write(t *testing.T) {
	t.Helper()
	p.d.WriteEvents(t, p.w.Events[p.done:], len(p.w.Events)-p.done)
	p.done = len(p.w.Events)
}

// process waits for spans in which events were applied, in a trace.
func (p *pipeline) process(traceID string, n int) []testkit.Span {
	p.t.Helper()
	eventually(p.t, "the process span", func() bool { return len(p.spans.Named(traceID, processName)) >= n })
	found := p.spans.Named(traceID, processName)
	if len(found) != n {
		p.t.Fatalf("%d process spans, want %d", len(found), n)
	}
	return found
}

// work returns the spans of SQL below a span.
func (p *pipeline) work(s testkit.Span) (names []string) {
	below := map[string]bool{s.SpanID: true}
	for again := true; again; {
		again = false
		for _, child := range p.spans.Of(s.TraceID) {
			if below[child.ParentID] && !below[child.SpanID] {
				below[child.SpanID], again = true, true
				if child.Kind == "CLIENT" {
					names = append(names, child.Name)
				}
			}
		}
	}
	return names
}

// publish sends an event as the relay does, from the span that traceparent names.
func publish(t *testing.T, url string, e stats.Event, id, traceparent string) {
	t.Helper()
	m := &eventsv1.Event{
		Id: e.Pos, Pos: e.Pos, ProjectId: e.Project[:], AggregateId: e.ID[:], Seq: e.Seq, Kind: e.Kind, Actor: make([]byte, 16),
		Occurred: timestamppb.New(e.Occurred), Recorded: timestamppb.New(e.Recorded), Aggregate: eventsv1.Aggregate_AGGREGATE_TASK,
		Traceparent: e.Traceparent,
	}
	for _, c := range e.Changes {
		m.Changes = append(m.Changes, &eventsv1.Change{Field: c.Field, Before: c.Before, After: c.After})
	}
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.PublishMsg(t.Context(), &nats.Msg{
		Subject: "tasks." + e.Project.String() + "." + e.ID.String(), Data: data, Header: nats.Header{"traceparent": {traceparent}},
	}, jetstream.WithMsgID(id))
	if err != nil {
		t.Fatal(err)
	}
}

// patientPoll leaves events to NATS.
const patientPoll = "STATS_POLL_INTERVAL=1h"

func TestClickIsAppliedInItsOwnTrace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		url := testkit.NATS(t)
		p := follow(t, d, url, patientPoll)
		traceID, publisher, traceparent := cause(1)
		e := p.add(1, 0, traceparent)
		p.write(t)
		publish(t, url, e, "1", traceparent)
		s := p.process(traceID, 1)[0]
		if s.Kind != "CONSUMER" || s.ParentID != publisher || !slices.Equal(s.Links, []string{publisher}) || s.Failed {
			t.Errorf("process %+v", s)
		}
		if s.Attributes["tallyboard.task.id"] != e.ID.String() || s.Attributes["tallyboard.event.pos"] != e.Pos || s.Attributes["tallyboard.stats.source"] != "nats" {
			t.Errorf("attributes %v", s.Attributes)
		}
		eventually(t, "SQL below it", func() bool {
			return slices.ContainsFunc(p.work(s), func(name string) bool { return strings.Contains(name, "stats_") })
		})
		publish(t, url, e, "again", traceparent) // the relay's successor does not know what was acknowledged
		again := p.process(traceID, 2)[1]
		if _, skipped := again.Event("stats.skipped"); !skipped || again.ParentID != publisher || len(p.work(again)) != 0 {
			t.Errorf("what was applied before: %+v, SQL %v", again, p.work(again))
		}
		_, body := p.send(http.MethodGet, "/metrics", "Accept", "application/openmetrics-text; version=1.0.0")
		for _, want := range []string{
			"tallyboard_stats_events_applied_total", "tallyboard_stats_redeliveries_total", "tallyboard_stats_gap_fills_total", // also at zero
		} {
			if !strings.Contains(string(body), want) {
				t.Errorf("/metrics lacks %s", want)
			}
		}
		if !exemplar(string(body), "tallyboard_stats_apply_delay_seconds_bucket", traceID) {
			t.Errorf("no exemplar leads from the delay to trace %s", traceID)
		}
		p.stop()
		p.onlyTrace(traceID)
	})
}

// exemplar reports whether a series' samples carry an exemplar of a trace.
func exemplar(metrics, series, traceID string) bool {
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, series) && strings.Contains(line, `trace_id="`+traceID+`"`) {
			return true
		}
	}
	return false
}

// onlyTrace checks that nothing else was recorded.
func (p *pipeline) onlyTrace(traceIDs ...string) {
	p.t.Helper()
	for _, s := range p.spans.All() {
		if !slices.Contains(traceIDs, s.TraceID) {
			p.t.Errorf("stray span %s %q", s.Kind, s.Name)
		}
	}
}

// TestTraceIsKeptThroughTheDatabase applies events that NATS does not bring: the same traces come about.
func TestTraceIsKeptThroughTheDatabase(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		p := follow(t, d, nowhere)
		alone, request, traceparent := cause(10)
		p.add(1, 0, traceparent)
		p.write(t)
		s := p.process(alone, 1)[0]
		if s.ParentID != request || !slices.Equal(s.Links, []string{request}) || s.Attributes["tallyboard.stats.source"] != "database" {
			t.Errorf("process %+v", s)
		}
		eventually(t, "SQL below it", func() bool { return len(p.work(s)) > 0 })

		first, _, tp1 := cause(11)
		second, _, tp2 := cause(12)
		p.add(2, 0, tp1)
		p.add(3, 0, tp2)
		p.write(t)
		own := p.process(first, 1)[0]
		if other := p.process(second, 1)[0]; len(own.Links) != 1 || !slices.Equal(own.Links, other.Links) {
			t.Errorf("two traces lead to %v and %v, want one batch", own.Links, other.Links)
		}
		var batch testkit.Span
		eventually(t, "the batch's root", func() bool {
			i := slices.IndexFunc(p.spans.All(), func(s testkit.Span) bool { return s.SpanID == own.Links[0] })
			if i >= 0 {
				batch = p.spans.All()[i]
			}
			return i >= 0
		})
		if batch.ParentID != "" || len(batch.Links) != 2 || len(p.work(batch)) == 0 || len(p.work(own)) != 0 {
			t.Errorf("batch %+v, SQL %v", batch, p.work(batch))
		}

		late, tooLate, tp3 := cause(13)
		p.add(4, 2*time.Minute, tp3)
		p.write(t)
		var root testkit.Span
		eventually(t, "the late one's root", func() bool {
			i := slices.IndexFunc(p.spans.All(), func(s testkit.Span) bool { return slices.Equal(s.Links, []string{tooLate}) })
			if i >= 0 {
				root = p.spans.All()[i]
			}
			return i >= 0
		})
		if root.ParentID != "" || len(p.spans.Of(late)) != 0 {
			t.Errorf("what comes late %+v", root)
		}
		p.stop()
		p.onlyTrace(alone, first, second, batch.TraceID, root.TraceID)
	})
}

func TestUnsampledEventsAreAppliedWithoutSpans(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(d *storetest.Database) {
		t := d.T
		url := testkit.NATS(t)
		// Whatever began a trace of its own would be recorded.
		p := follow(t, d, url, "TRACE_SAMPLE_RATIO=1")
		var begun string // by the events at the start, which have no trace
		eventually(t, "their span", func() bool {
			i := slices.IndexFunc(p.spans.All(), func(s testkit.Span) bool { return s.Kind == "CONSUMER" })
			if i >= 0 {
				begun = p.spans.All()[i].TraceID
			}
			return i >= 0
		})
		for i := range 5 {
			_, _, traceparent := cause(20 + i)
			unsampled := strings.TrimSuffix(traceparent, "01") + "00"
			e := p.add(i, time.Duration(i)*time.Minute, unsampled) // fresh and late ones
			p.write(t)
			if i%2 == 0 {
				publish(t, url, e, strconv.Itoa(i), unsampled)
			}
		}
		p.caughtUp(p.done)
		p.stop()
		asked := map[string]bool{begun: true} // and traces of this test's own requests
		for _, s := range p.spans.All() {
			asked[s.TraceID] = asked[s.TraceID] || s.Kind == "SERVER"
		}
		for _, s := range p.spans.All() {
			if !asked[s.TraceID] {
				t.Errorf("stray span %s %q", s.Kind, s.Name)
			}
		}
	})
}

// TestStatusIsAnsweredOnNATS asks as the operations page does.
func TestStatusIsAnsweredOnNATS(t *testing.T) {
	t.Parallel()
	url := testkit.NATS(t)
	p := follow(t, storetest.Open(t, testkit.MySQL(t)), url, "INSTANCE_ID=one")
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	var s opstatus.Status
	ask := func() bool {
		answer, err := nc.Request(opstatus.Subject, nil, patience)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(answer.Data, &s); err != nil {
			t.Fatal(err)
		}
		return s.Ready && s.Consumer.Cursor == int64(p.done)
	}
	eventually(t, "an answer with the cursor", ask)
	if s.Service != "stats-service" || s.Instance != "one" || s.Version != "test" || s.NATS != opstatus.NATSConnected || len(s.Pools) != 3 ||
		s.Relay != nil || s.Live != nil || s.Goroutines < 1 || s.HeapBytes < 1 || s.StartedAt.IsZero() {
		t.Errorf("status %+v", s)
	}
	if c := s.Consumer; !c.Leader || c.Lag != 0 || c.LagSeconds != 0 || c.Parked != 0 || c.Source != "database" || c.LastVerify != nil {
		t.Errorf("consumer %+v", c)
	}
	p.d.WriteRows(t, p.w)
	if res, body := p.send(http.MethodGet, "/api/v1/stats/verify"); res.code != http.StatusOK {
		t.Fatalf("verify: %d %s", res.code, body)
	}
	if ask(); s.Consumer.LastVerify == nil || !s.Consumer.LastVerify.Equal || s.Consumer.LastVerify.At.IsZero() {
		t.Errorf("last verification %+v", s.Consumer.LastVerify)
	}
	i := slices.IndexFunc(s.Routes, func(r opstatus.Route) bool { return r.Route == "GET /api/v1/stats/verify" })
	if i < 0 || s.Routes[i].Count != 1 {
		t.Errorf("routes %+v", s.Routes)
	}
}
