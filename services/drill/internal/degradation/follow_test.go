package degradation

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// follower reads a live stream as a browser does: it comes back when a connection ends, behind the last event it has.
type follower struct {
	mu       sync.Mutex
	events   []int64            // positions, as they came
	seqs     map[string][]int64 // of each task, as they came
	since    time.Time          // of the present staleness; zero: live
	connects int
	faults   []string
	seen     string // id of the last message
}

func follow(t *testing.T, url string) *follower {
	t.Helper()
	f := &follower{seqs: map[string][]int64{}, seen: "0"}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			f.connect(ctx, url)
			select {
			case <-ctx.Done():
			case <-time.After(pace):
			}
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	return f
}

func (f *follower) connect(ctx context.Context, url string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", f.seen)
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return
	}
	defer res.Body.Close() //nolint:errcheck // it ends when it ends
	if res.StatusCode != http.StatusOK {
		return
	}
	f.mu.Lock()
	f.connects++
	f.mu.Unlock()
	var kind, data, id string
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			data += value
		case "": // the end of a message, or a heartbeat
			if id != "" {
				f.seen = id
			}
			if data != "" {
				f.take(kind, id, data)
			}
			kind, data, id = "", "", ""
		}
	}
}

func (f *follower) take(kind, id, data string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var e struct {
		Pos   int64
		Task  *string
		Seq   int64
		Since time.Time
	}
	if err := decode([]byte(data), &e); err != nil {
		f.faults = append(f.faults, kind+": "+err.Error())
		return
	}
	switch kind {
	case "ready":
		f.since = time.Time{}
	case "stale":
		f.since = e.Since
	case "reset":
		f.faults = append(f.faults, "was told to begin anew at "+data)
	default:
		if id != strconv.FormatInt(e.Pos, 10) {
			f.faults = append(f.faults, "message "+id+" holds "+data)
		}
		f.events = append(f.events, e.Pos)
		if e.Task != nil {
			f.seqs[*e.Task] = append(f.seqs[*e.Task], e.Seq)
		}
	}
}

// last returns the position of the last event.
func (f *follower) last() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.events) == 0 {
		return 0
	}
	return f.events[len(f.events)-1]
}

// staleSince returns since when the stream says that it is late; zero: it does not.
func (f *follower) staleSince() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.since
}

func (f *follower) connected() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.connects
}

// holds checks that every event came once and in order.
func (f *follower) holds(t *testing.T, want []int64) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.events, want) {
		t.Errorf("the stream brought %v, want %v", f.events, want)
	}
	for task, seqs := range f.seqs {
		for i, seq := range seqs {
			if seq != int64(i+1) {
				t.Errorf("the stream brought changes %v of task %s", seqs, task)
				break
			}
		}
	}
	for _, fault := range f.faults {
		t.Error(fault)
	}
	f.faults = nil
}

// logged returns what a process has written.
func logged(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
