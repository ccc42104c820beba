package faults

import (
	"reflect"
	"testing"
)

var parts = Parts{
	Tasks: []string{"task-1", "task-2"}, Stats: []string{"stats-1", "stats-2"}, NATS: []string{"nats-1"}, Database: "database", Edge: "edge",
}

func TestTheSameSeedMakesTheSameSchedule(t *testing.T) {
	t.Parallel()
	if a, b := Schedule(7, parts, 100), Schedule(7, parts, 100); !reflect.DeepEqual(a, b) {
		t.Error("two schedules of one seed differ")
	}
	if a, b := Schedule(7, parts, 100), Schedule(8, parts, 100); reflect.DeepEqual(a, b) {
		t.Error("schedules of two seeds are equal")
	}
	if a, b := Schedule(7, parts, 20), Schedule(7, parts, 100); !reflect.DeepEqual(a, b[:20]) {
		t.Error("a short schedule is not the beginning of a long one")
	}
}

func TestEveryKindAndProcessIsHit(t *testing.T) {
	t.Parallel()
	kinds, killed := map[Kind]int{}, map[string]int{}
	copied := false
	for _, f := range Schedule(1, parts, 60) {
		kinds[f.Kind]++
		if f.Kind == Kill {
			killed[f.Target]++
		}
		if f.Kind == RestoreOld && !copied {
			t.Error("a copy is restored before it was made")
		}
		copied = copied || f.Kind == Copy
	}
	for _, k := range []Kind{Kill, Pause, PauseLeader, Rolling, Delay, Slow, Hold, Cut, HalfClose, Delete, Copy, RestoreOld, Redeliver} {
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
