package workload

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// How live streams are followed.
const (
	silence       = 20 * time.Second       // without even a heartbeat (15 s): the connection counts as dead
	reconnect     = 100 * time.Millisecond // pause after a connection that ended
	restlessAfter = 3 * time.Second        // restless clients leave and come back within this and twice this
)

// stream follows the live events of a project as a browser's EventSource does, over any number of connections.
type stream struct {
	load     *Load
	number   int
	project  string
	restless bool // leaves now and then by itself, as people close lids
	random   *rand.Rand

	mu     sync.Mutex
	got    ledger.Stream
	lastID string
}

func newStream(l *Load, number int, project string, restless bool) *stream {
	return &stream{
		load: l, number: number, project: project, restless: restless, lastID: "0",
		random: rand.New(rand.NewPCG(l.cfg.Seed, uint64(1_000_000+number))), //nolint:gosec // the same again with the same seed
		got:    ledger.Stream{Client: number, Project: project},
	}
}

func (s *stream) last() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.got.Events) == 0 {
		return s.got.From
	}
	return s.got.Events[len(s.got.Events)-1].Pos
}

func (s *stream) run(ctx context.Context) {
	for ctx.Err() == nil {
		s.connect(ctx)
		select {
		case <-time.After(reconnect):
		case <-ctx.Done():
		}
	}
}

// connect follows one connection to its end.
func (s *stream) connect(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.restless {
		leave := time.AfterFunc(restlessAfter+time.Duration(s.random.Int64N(int64(restlessAfter))), cancel)
		defer leave.Stop()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.load.cfg.URL+"/api/v1/projects/"+s.project+"/events", nil)
	if err != nil {
		return
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", s.lastID)
	dead := time.AfterFunc(silence, cancel)
	defer dead.Stop()
	res, err := s.load.http.Do(req)
	if err != nil {
		return // comes back
	}
	defer res.Body.Close() //nolint:errcheck // it ends when it ends
	if res.StatusCode != http.StatusOK {
		return
	}
	s.mu.Lock()
	s.got.Connects++
	s.mu.Unlock()
	s.read(res.Body, func() { dead.Reset(silence) })
}

// message is one server-sent event while its lines arrive.
type message struct{ id, kind, data string }

// read takes messages until the connection breaks. One that did not arrive whole is dropped, as the standard demands.
func (s *stream) read(body io.Reader, alive func()) {
	lines := bufio.NewReader(body)
	var m message
	hasID := false
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		alive()
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			if hasID {
				s.lastID = m.id
			}
			if m.data != "" {
				s.take(m)
			}
			m, hasID = message{}, false
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			m.id, hasID = value, true
		case "event":
			m.kind = value
		case "data":
			m.data += value
		}
	}
}

func (s *stream) take(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.kind {
	case "ready", "stale":
		return
	case "reset":
		var reset struct {
			Pos int64 `json:"pos"`
		}
		if err := json.Unmarshal([]byte(m.data), &reset); err != nil {
			s.got.Faults = append(s.got.Faults, fmt.Sprintf("reset: %v", err))
		}
		s.got.Resets = append(s.got.Resets, reset.Pos)
		return
	}
	var e struct {
		Pos  int64   `json:"pos"`
		Kind string  `json:"kind"`
		Task *string `json:"task"`
		Seq  int64   `json:"seq"`
	}
	if err := json.Unmarshal([]byte(m.data), &e); err != nil {
		s.got.Faults = append(s.got.Faults, fmt.Sprintf("%s %s: %v", m.kind, m.id, err))
		return
	}
	if m.id != strconv.FormatInt(e.Pos, 10) || m.kind != e.Kind {
		s.got.Faults = append(s.got.Faults, fmt.Sprintf("message %s %q holds event %d %q", m.id, m.kind, e.Pos, e.Kind))
	}
	task := ""
	if e.Task != nil {
		task = *e.Task
	}
	s.got.Events = append(s.got.Events, ledger.Event{Pos: e.Pos, Kind: e.Kind, Task: task, Seq: e.Seq})
}
