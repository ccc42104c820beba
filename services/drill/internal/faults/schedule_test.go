package faults

import (
	"reflect"
	"testing"
)

var parts = Parts{
	Tasks: []string{"task-1", "task-2"}, Stats: []string{"stats-1", "stats-2"}, NATS: []string{"nats-1"}, Database: "database", Edge: "edge",
	Disks: []string{"database", "nats-1"},
}

func TestTheSameSeedMakesTheSameSchedule(t *testing.T) {
	t.Parallel()
	if a, b := Schedule(7, parts, nil, 100), Schedule(7, parts, nil, 100); !reflect.DeepEqual(a, b) {
		t.Error("two schedules of one seed differ")
	}
	if a, b := Schedule(7, parts, nil, 100), Schedule(8, parts, nil, 100); reflect.DeepEqual(a, b) {
		t.Error("schedules of two seeds are equal")
	}
	if a, b := Schedule(7, parts, nil, 20), Schedule(7, parts, nil, 100); !reflect.DeepEqual(a, b[:20]) {
		t.Error("a short schedule is not the beginning of a long one")
	}
}

func TestEveryKindAndProcessIsHit(t *testing.T) {
	t.Parallel()
	kinds, killed := map[Kind]int{}, map[string]int{}
	for _, f := range Schedule(1, parts, nil, 60) {
		kinds[f.Kind]++
		if f.Kind == Kill {
			killed[f.Target]++
		}
	}
	for _, k := range Kinds() {
		if kinds[k] == 0 {
			t.Errorf("no %s among 60 faults", k)
		}
	}
	for _, p := range []string{"task-1", "task-2", "stats-1", "stats-2", "nats-1", "database", "edge"} {
		if killed[p] == 0 {
			t.Errorf("%s is never killed", p)
		}
	}
}

func TestWithoutDisksNoneIsFull(t *testing.T) {
	t.Parallel()
	p := parts
	p.Disks = nil
	for _, f := range Schedule(1, p, nil, 60) {
		if f.Kind == DiskFull {
			t.Errorf("%s", f)
		}
	}
	if got := Schedule(1, p, []Kind{DiskFull}, 60); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

func TestEveryRoundHasEveryKind(t *testing.T) {
	t.Parallel()
	kinds := map[Kind]bool{}
	for _, f := range Schedule(1, parts, nil, len(round)) {
		kinds[f.Kind] = true
	}
	for _, k := range Kinds() {
		if !kinds[k] {
			t.Errorf("no %s in the first round", k)
		}
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	pairs := 0
	for rest := Schedule(3, parts, nil, 300); len(rest) > 0; {
		var now []Fault
		now, rest = Next(rest)
		switch len(now) {
		case 1:
		case 2:
			pairs++
			if !compatible(now[0], now[1], parts) {
				t.Errorf("%s together with %s", now[0], now[1])
			}
		default:
			t.Errorf("%d faults together", len(now))
		}
	}
	if pairs == 0 {
		t.Error("no faults together")
	}
	for name, c := range map[string]struct {
		a, b Fault
		want bool
	}{
		"two services":                 {Fault{Kind: Kill, Target: "task-1"}, Fault{Kind: Pause, Target: "task-2"}, true},
		"one service":                  {Fault{Kind: Kill, Target: "task-1"}, Fault{Kind: Pause, Target: "task-1"}, false},
		"a service that may lead":      {Fault{Kind: Kill, Target: "stats-2"}, Fault{Kind: PauseLeader, Target: StatsLeader}, false},
		"a service in a rolling start": {Fault{Kind: Rolling}, Fault{Kind: Kill, Target: "stats-2"}, false},
		"the database meanwhile":       {Fault{Kind: Rolling}, Fault{Kind: Kill, Target: "database"}, true},
		"NATS without its stream":      {Fault{Kind: Delete}, Fault{Kind: Kill, Target: "nats-1"}, false},
		"anything in a power cut":      {Fault{Kind: PowerCut}, Fault{Kind: Pause, Target: "task-2"}, false},
		"two states of the network":    {Fault{Kind: Hold}, Fault{Kind: Slow}, false},
		"two full disks":               {Fault{Kind: DiskFull, Target: "database"}, Fault{Kind: DiskFull, Target: "nats-1"}, false},
		"a killed server that is full": {Fault{Kind: DiskFull, Target: "database"}, Fault{Kind: Kill, Target: "database"}, false},
		"a cut in a slow network":      {Fault{Kind: Cut}, Fault{Kind: Slow}, true},
	} {
		if got := compatible(c.a, c.b, parts); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
