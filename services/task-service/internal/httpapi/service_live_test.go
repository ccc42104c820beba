package httpapi_test

import (
	"fmt"
	"testing"

	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

// follow reads messages up to the event that gives the task its title, and returns the ids on the way.
func follow(t *testing.T, next func() httpapi.Message, title string) (ids []string) {
	t.Helper()
	for {
		m := next()
		switch m.Event {
		case "end":
			t.Fatalf("the stream ended after %v", ids)
		case "ready", "stale":
			continue
		}
		ids = append(ids, m.ID)
		var e wire.Event
		(httpapi.Answer{Body: []byte(m.Data)}).JSON(t, &e)
		if e.Snapshot != nil && e.Snapshot.Title == title && e.Kind == "task.created" {
			return ids
		}
	}
}

func TestLiveStreamResumesWithoutGapOrRepetition(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.project("LIVE")
	board, _ := want[wire.Board](s, 200, "GET", "/api/v1/projects/LIVE/board", "")
	next, closed := s.Stream(fmt.Sprintf("/api/v1/projects/LIVE/events?after=%d", board.Pos))
	if m := next(); m.Event != "ready" {
		t.Fatalf("first message %+v", m)
	}
	s.task("LIVE", "one")
	s.task("LIVE", "two")
	seen := follow(t, next, "two")
	closed()
	s.task("LIVE", "while away")
	s.task("LIVE", "three")
	next, closed = s.Stream("/api/v1/projects/LIVE/events", "Last-Event-ID: "+seen[len(seen)-1])
	seen = append(seen, follow(t, next, "three")...)
	s.task("LIVE", "four")
	seen = append(seen, follow(t, next, "four")...)
	closed()
	page, _ := want[wire.EventPage](s, 200, "GET", fmt.Sprintf("/api/v1/projects/LIVE/history?after=%d", board.Pos), "")
	if len(page.Events) != len(seen) {
		t.Fatalf("streamed %v, history has %d events", seen, len(page.Events))
	}
	for i, e := range page.Events {
		if seen[i] != fmt.Sprint(e.Pos) {
			t.Errorf("streamed %v, history has %d in place %d", seen, e.Pos, i)
		}
	}
	next, closed = s.Stream("/api/v1/projects/LIVE/events?after=999999")
	if m := next(); m.Event != "reset" {
		t.Errorf("message %+v behind a position that does not exist", m)
	}
	closed()
}
