package httpapi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// maxSnapshots bounds the events kept in encoded form, and maxSnapshotBytes the memory they take.
const (
	maxSnapshots     = 2048
	maxSnapshotBytes = 8 << 20
)

// snapshotTimeout bounds one read of a task.
const snapshotTimeout = 5 * time.Second

// snapshots encodes live events together with what they changed as it is now. All streams of a process share the
// result, so that an event costs one read, however many browsers watch; reads of one task by several events of a batch
// are shared, too. A snapshot may be newer than its event, and clients keep whichever version is highest.
type snapshots struct {
	tasks    TaskReader
	projects ProjectEditor
	flight   singleflight.Group

	mu    sync.Mutex
	known map[eventKey][]byte
	order []eventKey // oldest first
	bytes int
	last  map[taskKey]seenTask // newest encoding of tasks
	held  int                  // bytes in last
}

// eventKey names an event even where a restored database gives positions again, and the span it is delivered in.
type eventKey struct {
	id, pos     int64
	traceparent string
}

type taskKey = [16]byte

type seenTask struct {
	seq  int64
	json []byte
}

func newSnapshots(tasks TaskReader, projects ProjectEditor) *snapshots {
	return &snapshots{
		tasks: tasks, projects: projects, known: map[eventKey][]byte{}, last: map[taskKey]seenTask{},
	}
}

// event returns the JSON of an event of the project with the key, with the task's or the project's present state and, if
// there is one, the traceparent of its delivery.
func (s *snapshots) event(ctx context.Context, key string, e history.Event, traceparent string) ([]byte, error) {
	id := eventKey{e.ID, e.Pos, traceparent}
	s.mu.Lock()
	encoded, ok := s.known[id]
	s.mu.Unlock()
	if ok {
		return encoded, nil
	}
	encoded, err := s.encode(ctx, key, e)
	if err != nil {
		return nil, err
	}
	if traceparent != "" {
		encoded = append(append(encoded[:len(encoded)-1], `,"traceparent":"`...), traceparent...)
		encoded = append(encoded, `"}`...)
	}
	s.keep(id, encoded)
	return encoded, nil
}

func (s *snapshots) encode(ctx context.Context, key string, e history.Event) ([]byte, error) {
	if e.Aggregate == history.OfTask {
		snapshot, err := s.task(ctx, e)
		if err != nil {
			return nil, fmt.Errorf("snapshot of task: %w", err)
		}
		return appendEvent(make([]byte, 0, len(snapshot)+taskSize), e, key, snapshot, nil), nil
	}
	p, err := s.projects.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("snapshot of project: %w", err)
	}
	settings, err := encodeSettings(p)
	if err != nil {
		return nil, err
	}
	return appendEvent(nil, e, key, nil, settings), nil
}

// task returns the JSON of the task of an event, read at or after the event; nil if it is no more.
func (s *snapshots) task(ctx context.Context, e history.Event) ([]byte, error) {
	if json := s.recent(e); json != nil {
		return json, nil
	}
	// The sequence is part of the name: a read under way that began before this event must not answer for it.
	name := fmt.Sprintf("%s/%d", e.AggregateID, e.Seq)
	result := s.flight.DoChan(name, func() (any, error) {
		if json := s.recent(e); json != nil { // read by a flight that has just ended
			return json, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), snapshotTimeout) // shared: no one's going away ends it
		defer cancel()
		t, err := s.tasks.Get(ctx, task.Ref{ID: e.AggregateID})
		if apperr.Is(err, apperr.NotFound) {
			return []byte(nil), nil
		}
		if err != nil {
			return nil, err
		}
		encoded := appendTask(make([]byte, 0, taskSize+len(t.Description)), t, nil)
		s.remember(t.ID, seenTask{seq: t.Seq, json: encoded})
		return encoded, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-result:
		encoded, _ := r.Val.([]byte)
		return encoded, r.Err
	}
}

// recent returns the remembered JSON of the task of an event, if it is not older than the event; else nil.
func (s *snapshots) recent(e history.Event) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen := s.last[e.AggregateID]; seen.seq >= e.Seq {
		return seen.json
	}
	return nil
}

func (s *snapshots) remember(id taskKey, seen seenTask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.last[id]
	if was.seq > seen.seq {
		return
	}
	if s.held += len(seen.json) - len(was.json); len(s.last) >= maxSnapshots || s.held > maxSnapshotBytes {
		clear(s.last)
		s.held = len(seen.json)
	}
	s.last[id] = seen
}

func (s *snapshots) keep(id eventKey, encoded []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.known[id]; ok {
		return
	}
	s.known[id] = encoded
	s.order = append(s.order, id)
	s.bytes += len(encoded)
	for len(s.order) > maxSnapshots || s.bytes > maxSnapshotBytes {
		oldest := s.order[0]
		s.order = s.order[1:]
		s.bytes -= len(s.known[oldest])
		delete(s.known, oldest)
	}
}
