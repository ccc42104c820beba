package httpapi

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/opstatus"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

// fakeOperations answers as it is told.
type fakeOperations struct {
	self  opstatus.Status
	found []opstatus.Status
	err   error
}

func (f *fakeOperations) Self() opstatus.Status { return f.self }

func (f *fakeOperations) Collect(context.Context) ([]opstatus.Status, error) { return f.found, f.err }

// instance is the state of an instance whose requests of one route were answered within the first bound.
func instance(service, name string, requests uint64) opstatus.Status {
	s := opstatus.Status{Service: service, Instance: name, Version: "1", StartedAt: traceStart, Ready: true, NATS: opstatus.NATSConnected}
	if requests > 0 {
		buckets := make([]uint64, len(fiberx.RouteBounds)+1)
		buckets[0] = requests
		s.Routes = []opstatus.Route{{Route: "GET /api/v1/tasks", Count: requests, Errors: 1, Buckets: buckets}}
	}
	return s
}

func TestOperationsShowEveryInstance(t *testing.T) {
	t.Parallel()
	self := instance("task-service", "b", 10)
	self.Pools = []opstatus.Pool{{Name: "requests", Engine: "mysql", Max: 20, InUse: 3, Idle: 4, WaitCount: 5, WaitMs: 6.5}}
	self.Relay = &opstatus.Relay{
		Leader: true, Unpositioned: new(int64(1)), OldestAgeSeconds: new(0.5), Given: new(int64(12)), Published: new(int64(11)), Takeovers: 1,
	}
	self.Live = &opstatus.Live{Subscribers: 3, Stale: true}
	self.Goroutines, self.HeapBytes = 42, 1<<20
	stats := instance("stats-service", "a", 1)
	stats.Consumer = &opstatus.Consumer{
		Leader: true, Cursor: 12, Lag: 1, LagSeconds: 0.25, Parked: 2, Source: "database",
		LastVerify: &opstatus.Verify{At: traceStart, Equal: true, Differences: 0},
	}
	h := serve(t, Deps{Operations: &fakeOperations{self: self, found: []opstatus.Status{stats, self, instance("task-service", "c", 5)}}})
	a := h.Do("GET", "/api/v1/operations", "")
	var got wire.Operations
	a.JSON(t, &got)
	if a.Status != 200 || got.NatsAway || len(got.Instances) != 3 || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	b := fmt.Sprint(got.Instances[1].Pools, got.Instances[1].Goroutines, got.Instances[1].HeapBytes)
	if want := "[{mysql 4 3 20 requests 5 6.5}] 42 1048576"; b != want {
		t.Errorf("instance %s, want %s", b, want)
	}
	relay, _ := got.Instances[1].Relay.Get()
	live, _ := got.Instances[1].Live.Get()
	consumer, _ := got.Instances[0].Consumer.Get()
	verify, _ := consumer.LastVerify.Get()
	if !reflect.DeepEqual(relay, wire.RelayStatus{
		Given: nullable.NewNullableWithValue[int64](12), Leader: true, OldestAgeSeconds: nullable.NewNullableWithValue(0.5),
		Published: nullable.NewNullableWithValue[int64](11), Takeovers: 1, Unpositioned: nullable.NewNullableWithValue[int64](1),
	}) || live != (wire.LiveStatus{Stale: true, Subscribers: 3}) || consumer.Source != wire.Database || consumer.LagSeconds != 0.25 || !verify.Equal ||
		!got.Instances[0].Relay.IsNull() || !got.Instances[2].Consumer.IsNull() {
		t.Errorf("instances %s", a.Body)
	}
	if len(got.Routes) != 2 || got.Routes[1].Count != 15 || got.Routes[1].Errors != 2 || got.Routes[1].P50Ms <= 0 || got.Routes[1].P99Ms > 1e3*fiberx.RouteBounds[0] {
		t.Errorf("routes %+v", got.Routes)
	}
}

func TestBacklogThatWasNotMeasuredIsNull(t *testing.T) {
	t.Parallel()
	self := instance("task-service", "a", 0)
	self.Relay = &opstatus.Relay{Leader: true, Takeovers: 2}
	a := serve(t, Deps{Operations: &fakeOperations{self: self, found: []opstatus.Status{self}}}).Do("GET", "/api/v1/operations", "")
	var got struct {
		Instances []struct{ Relay map[string]any }
	}
	a.JSON(t, &got)
	want := map[string]any{"leader": true, "takeovers": 2.0, "unpositioned": nil, "oldestAgeSeconds": nil, "given": nil, "published": nil}
	if a.Status != 200 || len(got.Instances) != 1 || !reflect.DeepEqual(got.Instances[0].Relay, want) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestThisInstanceIsAlwaysListed(t *testing.T) {
	t.Parallel()
	others := []opstatus.Status{instance("stats-service", "a", 0), instance("task-service", "a", 0), instance("task-service", "c", 0)}
	for name, c := range map[string]struct {
		operations *fakeOperations
		away       bool
		want       string
	}{
		"among others":        {&fakeOperations{instance("task-service", "b", 0), others, nil}, false, "[stats-service/a task-service/a task-service/b task-service/c]"},
		"the last":            {&fakeOperations{instance("task-service", "d", 0), others, nil}, false, "[stats-service/a task-service/a task-service/c task-service/d]"},
		"answering itself":    {&fakeOperations{others[1], others, nil}, false, "[stats-service/a task-service/a task-service/c]"},
		"nobody else answers": {&fakeOperations{others[1], nil, nil}, false, "[task-service/a]"},
		"NATS is away":        {&fakeOperations{others[1], nil, fmt.Errorf("collect: %w", opstatus.ErrAway)}, true, "[task-service/a]"},
	} {
		h := serve(t, Deps{Operations: c.operations})
		var got wire.Operations
		h.Do("GET", "/api/v1/operations", "").JSON(t, &got)
		names := make([]string, len(got.Instances))
		for i, s := range got.Instances {
			names[i] = s.Service + "/" + s.Instance
		}
		if fmt.Sprint(names) != c.want || got.NatsAway != c.away {
			t.Errorf("%s: %v, away %v, want %s", name, names, got.NatsAway, c.want)
		}
		if at, err := time.Parse(time.RFC3339, got.At); err != nil || time.Since(at) > time.Hour {
			t.Errorf("%s: at %q", name, got.At)
		}
	}
}

func TestOperationsOfOtherVersionsAndFailures(t *testing.T) {
	t.Parallel()
	odd := instance("task-service", "a", 0)
	odd.NATS, odd.Consumer = "new word", &opstatus.Consumer{Source: "another"}
	h := serve(t, Deps{Operations: &fakeOperations{self: odd}})
	if a := h.Do("GET", "/api/v1/operations", ""); a.Status != 200 { // and the harness holds it against the description
		t.Errorf("%d %s", a.Status, a.Body)
	}
	h = serve(t, Deps{Operations: &fakeOperations{self: odd, err: errors.New("broken")}})
	h.Do("GET", "/api/v1/operations", "").Problem(t, 500)
}
