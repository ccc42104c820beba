package drill

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/faults"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	cfg, err := ParseFlags([]string{"-seed", "7", "-duration", "30s", "-engine", "postgres", "-nats", "3", "-kinds", "kill, power cut"})
	if err != nil || cfg.Seed != 7 || cfg.Duration != 30*time.Second || cfg.Engine != cluster.Postgres || cfg.NATS != 3 || !slices.Equal(cfg.Kinds, []faults.Kind{faults.Kill, faults.PowerCut}) {
		t.Errorf("%+v, %v", cfg, err)
	}
	for _, args := range []string{"-engine oracle", "-nats 2", "-clients 0", "-duration 0s", "-kinds flood", "-nonsense"} {
		if _, err := ParseFlags(strings.Fields(args)); err == nil {
			t.Errorf("%s was accepted", args)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := &Conductor{out: &out, record: check.Record{
		Name: "seed 7 on mysql with 1 NATS",
		Faults: []ledger.Fault{
			{Kind: "kill", Start: time.Second, Healed: 2 * time.Second, Serving: time.Second, Whole: 2 * time.Second},
			{Kind: "kill", Start: 5 * time.Second, Healed: 6 * time.Second, Serving: 3 * time.Second, Whole: 4 * time.Second},
			{Kind: "pause", Start: 20 * time.Second, Healed: 21 * time.Second, Serving: time.Second, Whole: time.Second},
		},
		Ops: []ledger.Op{
			{Client: 1, Outcome: ledger.Acknowledged, Attempts: 3, Start: time.Second, End: 2 * time.Second},
			{Client: 1, Outcome: ledger.Acknowledged, Attempts: 2, Start: 3 * time.Second, End: 4 * time.Second},
			{Client: 2, Outcome: ledger.Unknown, Attempts: 1, Start: 3 * time.Second, End: 4 * time.Second},
			{Client: 2, Outcome: ledger.Refused, Attempts: 1, Start: 30 * time.Second, End: 31 * time.Second},
		},
	}}
	violations := make([]check.Violation, mostListed+2)
	for i := range violations {
		violations[i] = check.Violation{Rule: "history", Text: "broken", Ops: []string{"c1-1"}}
	}
	if err := r.report(violations); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"VIOLATION history: broken c1-1\n", "VIOLATION history: and more\n",
		"kill      2                   2.00 s               3.00 s                4.00 s                              3",
		"pause      1                   0.00 s               1.00 s                1.00 s                              0",
		"2 operations acknowledged, 1 refused, 1 never answered; 2 were sent again",
		"seed 7 on mysql with 1 NATS: 3 faults, 7 violations; 7 history",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestGauges(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"# TYPE go_goroutine_count gauge\ngo_goroutine_count 41\n":                              41,
		"a 1\ngo_goroutine_count{otel_scope_name=\"x {y}\",service_name=\"z\"} 42 1700000000\n": 42,
	} {
		if got, err := gauges(strings.NewReader(text), goroutineMetric); err != nil || got[goroutineMetric] != want {
			t.Errorf("%v, %v in %q", got, err, text)
		}
	}
	for _, text := range []string{"go_goroutine_counts 7\n", "go_goroutine_count\n", "go_goroutine_count seven\n"} {
		if _, err := gauges(strings.NewReader(text), goroutineMetric); err == nil {
			t.Errorf("found in %q", text)
		}
	}
}

func TestAProcessThatCannotBeStoppedIsSaid(t *testing.T) {
	t.Parallel()
	unstopped, broken := errors.New("it did not end"), errors.New("it broke")
	r := &Conductor{out: io.Discard, with: alone{}, unstopped: unstopped}
	if err := r.conclude(broken); !errors.Is(err, broken) || !errors.Is(err, unstopped) {
		t.Errorf("of a run that broke: %v", err)
	}
	if err := r.conclude(nil); !errors.Is(err, unstopped) {
		t.Errorf("of a run that ended: %v", err)
	}
}

func TestWhatIsNotDrilledIsSaid(t *testing.T) {
	t.Parallel()
	why := errors.New("no disks of our own: operation not permitted")
	var out strings.Builder
	r := &Conductor{out: &out, cluster: &cluster.Cluster{NoDisks: why}}
	if err := r.notDrilled(); err != nil {
		t.Errorf("where all kinds are drilled that can be: %v", err)
	}
	if err := r.report(nil); err != nil {
		t.Fatal(err)
	}
	if want := "not drilled here: disk full: " + why.Error(); !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
	r.cfg.Kinds = []faults.Kind{faults.DiskFull}
	if err := r.notDrilled(); err == nil || !strings.Contains(err.Error(), why.Error()) {
		t.Errorf("what was asked for by name: %v", err)
	}
	able := &Conductor{cluster: &cluster.Cluster{}}
	if err := able.notDrilled(); err != nil || len(able.record.NotDrilled) != 0 {
		t.Errorf("%v, %v", err, able.record.NotDrilled)
	}
}
