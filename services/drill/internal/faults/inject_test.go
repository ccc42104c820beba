package faults

import "testing"

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target, link string
		want         bool
	}{
		{AllDatabase, "task-1→database", true},
		{AllDatabase, "task-1→nats-1", false},
		{AllNATS, "stats-2→nats-3", true},
		{"task-1→", "task-1→database", true},
		{"task-1→", "task-1→nats-2", true},
		{"task-1→", "task-2→database", false},
		{"task-1→nats", "task-1→nats-2", true},
		{"task-1→nats", "task-1→database", false},
		{"task-1→nats", "stats-1→nats-2", false},
	} {
		if got := (Fault{Target: c.target}).covers(c.link); got != c.want {
			t.Errorf("%s covers %s: %v", c.target, c.link, got)
		}
	}
}
