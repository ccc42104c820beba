package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Message is one server-sent event.
type Message struct{ ID, Event, Data string }

// stream opens a live stream and returns a function that reads the next message.
func (h *Harness) Stream(target string, headers ...header) (next func() Message, closed func()) {
	h.t.Helper()
	res, err := h.client.Do(h.Request("GET", target, http.NoBody, append(headers, "Accept: text/event-stream")...)) //nolint:bodyclose // closed by the caller
	if err != nil {
		h.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		h.t.Fatalf("stream: %d %v", res.StatusCode, res.Header)
	}
	reader := bufio.NewReader(res.Body)
	next = func() Message {
		h.t.Helper()
		var m Message
		for {
			line, err := reader.ReadString('\n')
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					h.t.Fatal(err)
				}
				return Message{Event: "end"}
			}
			line = strings.TrimSuffix(line, "\n")
			name, value, _ := strings.Cut(line, ": ")
			switch {
			case line == "" && m != Message{}:
				return m
			case name == "id":
				m.ID = value
			case name == "event":
				m.Event = value
			case name == "data":
				m.Data += value
			}
		}
	}
	return next, func() { _ = res.Body.Close() } // the stream is broken off on purpose
}

func TestLiveStreamCarriesSnapshots(t *testing.T) {
	t.Parallel()
	projects := newFakeProjects(t)
	sample := sampleTask(t, projects.one)
	since := sample.Created
	settings := history.Event{
		ID: 3, Pos: 43, ProjectID: projects.one.ID, Aggregate: history.OfProject, AggregateID: projects.one.ID, Seq: 2,
		Kind: history.ProjectChanged, Occurred: since, Recorded: since,
	}
	feed := &fakeFeed{updates: []Update{
		{Events: []history.Event{taskEvent(sample, 41), settings}},
		{State: &FeedState{Live: false, Since: since}},
		{State: &FeedState{Live: true, Since: since}},
	}}
	var mu sync.Mutex
	reads := 0
	h := serve(t, Deps{Projects: projects, Feed: feed, Tasks: &fakeTasks{get: func(task.Ref) (*task.Task, error) {
		mu.Lock()
		defer mu.Unlock()
		reads++
		return sample, nil
	}}})
	for range 3 {
		next, closed := h.Stream("/api/v1/projects/WEB/events?after=40")
		if m := next(); m.Event != "ready" || m.ID != "40" || m.Data != `{"pos":40,"live":true}` {
			t.Fatalf("first message %+v", m)
		}
		m := next()
		var e wire.Event
		(Answer{Body: []byte(m.Data)}).JSON(t, &e)
		if m.ID != "41" || m.Event != "task.changed" || e.Snapshot == nil || e.Snapshot.Key != "WEB-42" || e.Project != "WEB" ||
			e.Task.MustGet() != sample.ID.String() || e.TraceId.MustGet() != "4bf92f3577b34da6a3ce929d0e0e4736" {
			t.Fatalf("message %+v", m)
		}
		m = next()
		e = wire.Event{}
		(Answer{Body: []byte(m.Data)}).JSON(t, &e)
		if m.ID != "43" || e.Settings == nil || e.Settings.Key != "WEB" || !e.Task.IsNull() || e.Snapshot != nil {
			t.Fatalf("message %+v", m)
		}
		if m := next(); m.Event != "stale" || m.ID != "" || m.Data != `{"since":"2026-11-02T08:15:00.123456Z"}` {
			t.Fatalf("message %+v", m)
		}
		if m := next(); m.Event != "ready" || m.ID != "43" {
			t.Fatalf("message %+v", m)
		}
		closed()
	}
	if reads != 1 {
		t.Errorf("%d reads of the task for three streams, want 1", reads)
	}
}

func TestLiveStreamResumes(t *testing.T) {
	t.Parallel()
	feed := &fakeFeed{afters: make(chan int64, 4), gone: true}
	h := serve(t, Deps{Projects: newFakeProjects(t), Feed: feed})
	for _, c := range []struct {
		target string
		header header
		want   int64
	}{
		{"/api/v1/projects/WEB/events", "X-Nothing: 1", FromNow},
		{"/api/v1/projects/WEB/events?after=5", "X-Nothing: 1", 5},
		{"/api/v1/projects/WEB/events?after=5", "Last-Event-ID: 9", 9},
	} {
		next, closed := h.Stream(c.target, c.header)
		if got := <-feed.afters; got != c.want {
			t.Errorf("%s %s subscribes behind %d, want %d", c.target, c.header, got, c.want)
		}
		if c.want != FromNow { // this history is another one
			if got := <-feed.afters; got != FromNow {
				t.Errorf("after a position that is gone: %d", got)
			}
			if m := next(); m.Event != "reset" || m.Data != `{"pos":0}` {
				t.Errorf("message %+v, want reset", m)
			}
		}
		if m := next(); m.Event != "ready" {
			t.Errorf("message %+v, want ready", m)
		}
		closed()
	}
	h.Do("GET", "/api/v1/projects/WEB/events", "", "Last-Event-ID: x").Problem(t, 400)
	h.Do("GET", "/api/v1/projects/NOPE/events", "").Problem(t, 404)
}

func TestLiveStreamsEndWithTheServer(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Projects: newFakeProjects(t), Feed: &fakeFeed{}})
	next, closed := h.Stream("/api/v1/projects/WEB/events")
	defer closed()
	next()
	if err := h.streams.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m := next(); m.Event != "end" {
		t.Errorf("message %+v after the server closed its streams", m)
	}
	h.Do("GET", "/api/v1/projects/WEB/events", "").Problem(t, 503)
}

func TestSnapshotsStayBounded(t *testing.T) {
	t.Parallel()
	projects := newFakeProjects(t)
	sample := sampleTask(t, projects.one)
	sample.Description = strings.Repeat("x", 60_000)
	s := newSnapshots(&fakeTasks{get: func(task.Ref) (*task.Task, error) { return sample, nil }}, projects)
	for i := range int64(3 * maxSnapshotBytes / 60_000) {
		e := taskEvent(sample, i+1)
		e.AggregateID[15] = byte(i)
		e.AggregateID[14] = byte(i >> 8)
		if _, err := s.event(t.Context(), "WEB", e, ""); err != nil {
			t.Fatal(err)
		}
	}
	if s.bytes > maxSnapshotBytes || s.held > 2*maxSnapshotBytes || len(s.known) != len(s.order) {
		t.Errorf("%d and %d bytes kept, %d of %d events", s.bytes, s.held, len(s.known), len(s.order))
	}
}

func TestHeadsAskOnceInAWhile(t *testing.T) {
	t.Parallel()
	reads := 0
	h := newHeads(nil)
	h.read = func(ctx context.Context) (int64, error) { reads++; return int64(reads), ctx.Err() }
	for range 10 {
		if pos, err := h.pos(t.Context()); err != nil || pos != 1 {
			t.Fatal(pos, err)
		}
	}
	h.last.Store(&headAt{pos: 1, at: time.Now().Add(-2 * headsFresh)})
	if pos, err := h.pos(t.Context()); err != nil || pos != 2 || reads != 2 {
		t.Error(pos, err, reads)
	}
}
