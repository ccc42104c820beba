package demo

import (
	"encoding/json"
	"testing"
	"time"
)

var end = time.Date(2026, 11, 20, 17, 0, 0, 0, time.UTC)

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	t.Parallel()
	a, err := json.Marshal(compose(7, "DEMO", "x", simulate(7, end), end))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(compose(7, "DEMO", "x", simulate(7, end), end))
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Error("two runs differ")
	}
}

func TestHistoriesHold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		doc := compose(seed, "DEMO", "x", simulate(seed, end), end)
		finished, open := 0, 0
		for _, e := range doc.Tasks {
			last := time.Time{}
			state := any(nil)
			for i, ev := range e.Events {
				if ev.Seq != int64(i+1) || ev.Occurred.Before(last) || ev.Occurred.After(end) {
					t.Fatalf("seed %d, task %d, event %d: seq %d at %s after %s", seed, e.Task.Number, i, ev.Seq, ev.Occurred, last)
				}
				last = ev.Occurred
				for _, c := range ev.Changes {
					if c.Field == "state" {
						if i > 0 && c.Before != state {
							t.Fatalf("seed %d, task %d: moved from %v while in %v", seed, e.Task.Number, c.Before, state)
						}
						state = c.After
					}
				}
			}
			if state != e.Task.State || e.Task.Seq != int64(len(e.Events)) {
				t.Fatalf("seed %d, task %d: snapshot and history differ", seed, e.Task.Number)
			}
			if e.Task.Completed != nil {
				finished++
			} else {
				open++
			}
		}
		if finished < 100 || open < 10 {
			t.Errorf("seed %d: %d finished and %d open tasks are no believable quarter", seed, finished, open)
		}
	}
}
