package soak

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// kill is a fault from one second to another; everything is well after another half second.
func kill(kind, target string, start, healed int) ledger.Fault {
	return ledger.Fault{Kind: kind, Target: target, Start: time.Duration(start) * time.Second, Healed: time.Duration(healed) * time.Second, Serving: 100 * ms, Whole: 500 * ms}
}

func TestReplicaKills(t *testing.T) {
	t.Parallel()
	leader := kill("kill leader", "task leader", 30, 31)
	leader.Detail = "task-2"
	faults := []ledger.Fault{
		kill("kill", "task-1", 10, 11),
		kill("kill", "database", 20, 21), // no replica
		leader,
		kill("pause", "task-1", 40, 41),                                 // no kill
		kill("kill", "stats-1", 50, 51), kill("kill", "nats-1", 50, 52), // two at a time
	}
	got := replicaKills(faults, []failure{
		{1, 10 * time.Second}, {2, 11400 * ms}, // one each, for the first
		{1, 9900 * ms}, {1, 11600 * ms}, // before and after it
		{1, 20500 * ms},
		{3, 30100 * ms}, {3, 30300 * ms}, // twice, for the leader
		{1, 50500 * ms},
	}, 4)
	if got.Kills != 2 || got.Together != 1 || got.Worst != 2 || got.WorstAt != "kill leader of task-2 at 30s" {
		t.Errorf("%+v", got)
	}
	if got.Clients[0] != 5 || got.Clients[1] != 2 || got.Clients[2] != 1 {
		t.Errorf("clients by number %v, want 5 without, 2 with one and 1 with two", got.Clients)
	}
}

func TestDatabaseKills(t *testing.T) {
	t.Parallel()
	slow, cut := kill("kill", "database", 20, 21), kill("power cut", "everything", 30, 31)
	slow.Whole, cut.Whole = 4*time.Second, 9*time.Second
	got := databaseKills([]ledger.Fault{kill("kill", "database", 10, 11), slow, cut, kill("kill", "database", 50, 51), kill("kill", "nats-1", 50, 52), kill("kill", "task-1", 60, 61)})
	if want := (DatabaseKills{Kills: 2, WorstServing: 100 * ms, WorstWhole: 4 * time.Second, Together: 2, TogetherMost: 9 * time.Second}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// good is a result that holds everything.
func good() *Result {
	steady := Slope{PerHour: 3, Span: 20 * time.Minute, Judged: true}
	return &Result{
		Name: "seed 1", FaultsFor: 3 * time.Minute, Faults: make([]ledger.Fault, 20),
		ReplicaKills: ReplicaKills{Kills: 3, Worst: 1}, DatabaseKills: DatabaseKills{Kills: 2, WorstWhole: 5 * time.Second},
		CatchUps: []CatchUp{{Away: "NATS", Behind: 10, PerSecond: 10}, {Away: "both", Behind: 20_000, PerSecond: 5000}},
		Memory:   []Memory{{Process: "task-1", RunHeap: steady, LifeHeap: Slope{PerHour: 900}}, {Process: "stats-1", LifeHeap: steady}},
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*Result)
		want  string // part of what is missed
	}{
		"all held":          {func(*Result) {}, ""},
		"too few faults":    {func(r *Result) { r.Faults = r.Faults[:19] }, "faults 19"},
		"a violation":       {func(r *Result) { r.Violations = make([]check.Violation, 1) }, "violations 1"},
		"not checked":       {func(r *Result) { r.Broken = "no stock" }, "violations not checked"},
		"sent again twice":  {func(r *Result) { r.ReplicaKills.Worst = 2 }, "killed replica worst 2"},
		"a slow database":   {func(r *Result) { r.DatabaseKills.WorstWhole++ }, "database accepts connections"},
		"slow statistics":   {func(r *Result) { r.CatchUps[1].PerSecond = 4999 }, "4999 events/s"},
		"statistics stuck":  {func(r *Result) { r.CatchUps[0].Error = "stuck" }, "stuck"},
		"no backlog":        {func(r *Result) { r.CatchUps[1].Behind = 10 }, "no outage left a backlog"},
		"growing":           {func(r *Result) { r.Memory[0].RunHeap.PerHour = mostSlope + 1 }, "task-1 from restart to restart"},
		"growing in a life": {func(r *Result) { r.Memory[1].LifeHeap.PerHour = mostSlope + 1 }, "stats-1 within its last life"},
		"nothing measured": {func(r *Result) {
			r.ReplicaKills, r.DatabaseKills, r.CatchUps, r.Memory = ReplicaKills{}, DatabaseKills{}, nil, nil
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := good()
			c.spoil(r)
			r.judge()
			missed := strings.Join(r.missed(), "; ")
			if (c.want == "") != (missed == "") || !strings.Contains(missed, c.want) {
				t.Errorf("missed: %q, want %q", missed, c.want)
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := good()
	r.Interrupted = true
	r.judge()
	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"20 faults", "interrupted", "3 replicas killed alone", "at the head 0.00 s later: 5000 events/s", "steepest +3.0 MiB/h", "(+900.0)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("as JSON: %v", err)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	cfg, err := ParseFlags(strings.Fields("-duration 90s -nats 3 -rate 50 -backlog 30000 -clients 4"))
	if err != nil || cfg.Duration != 90*time.Second || cfg.NATS != 3 || cfg.Rate != 50 || cfg.Backlog != 30_000 || cfg.Clients != 4 || cfg.Every != faultEvery {
		t.Errorf("%+v, %v", cfg, err)
	}
	if cfg, err := ParseFlags(nil); err != nil || cfg.Duration != defaultDuration || cfg.Out != "test-output/soak" || cfg.Rate != defaultRate {
		t.Errorf("%+v, %v", cfg, err)
	}
	for _, args := range []string{"-rate 0", "-every -1s", "-backlog -1", "-nats 2", "-nonsense"} {
		if _, err := ParseFlags(strings.Fields(args)); err == nil {
			t.Errorf("%s was accepted", args)
		}
	}
}

// A run that cannot even begin leaves a result that says so.
func TestRunThatCannotBegin(t *testing.T) {
	t.Parallel()
	cfg, err := ParseFlags(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Bin, cfg.Out = t.TempDir(), t.TempDir() // no programs there
	var out strings.Builder
	if err := Run(context.Background(), cfg, &out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	found, err := filepath.Glob(filepath.Join(cfg.Out, "*", resultFile))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v; %s", found, err, out.String())
	}
	b, err := os.ReadFile(found[0])
	var r Result
	if err := errors.Join(err, json.Unmarshal(b, &r)); err != nil || r.Broken == "" {
		t.Errorf("%+v, %v", r, err)
	}
}
