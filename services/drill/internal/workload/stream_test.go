package workload

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"testing"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// chapters serves one part of a stream to each connection, then breaks it off, and remembers where readers resumed.
type chapters struct {
	mu      sync.Mutex
	parts   []string
	resumed []string
	over    context.CancelFunc
}

func (c *chapters) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resumed = append(c.resumed, r.Header.Get("Last-Event-ID"))
	if len(c.parts) == 0 {
		c.over()
		return
	}
	io.WriteString(w, c.parts[0]) //nolint:errcheck // the test sees what arrives
	w.(http.Flusher).Flush()      //nolint:errcheck // net/http's writers are
	c.parts = c.parts[1:]
	panic(http.ErrAbortHandler)
}

func said(pos int64) string {
	return fmt.Sprintf("id: %d\nevent: task.changed\ndata: {\"pos\":%d,\"kind\":\"task.changed\",\"task\":\"a\",\"seq\":%d}\n\n", pos, pos, pos)
}

func TestStreamsResumeBehindTheLastWholeMessage(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &chapters{over: cancel, parts: []string{
		"retry: 2000\n\nid: 0\nevent: ready\ndata: {\"pos\":0,\"live\":true}\n\n" + said(1) + said(2) + "id: 3\nevent: task.changed\nda",
		": heartbeat\n\n" + said(3) + "event: stale\ndata: {\"since\":\"now\"}\n\n",
		said(4) + "event: reset\ndata: {\"pos\":9}\n\n",
	}}
	server := httptest.NewServer(c)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	s := newStream(&Load{cfg: Config{URL: server.URL}, http: client}, 0, "DRA", false)
	s.run(ctx)
	if want := []string{"0", "2", "3", "4"}; !reflect.DeepEqual(c.resumed, want) {
		t.Errorf("resumed behind %v, want %v", c.resumed, want)
	}
	event := func(pos int64) ledger.Event { return ledger.Event{Pos: pos, Kind: "task.changed", Task: "a", Seq: pos} }
	if want := []ledger.Event{event(1), event(2), event(3), event(4)}; !reflect.DeepEqual(s.got.Events, want) {
		t.Errorf("got %v", s.got.Events)
	}
	if s.got.Connects < 3 || !reflect.DeepEqual(s.got.Resets, []int64{9}) || len(s.got.Faults) != 0 {
		t.Errorf("%+v", s.got)
	}
}
