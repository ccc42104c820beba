package bugs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
	"github.com/tallyboard/tallyboard/services/drill/internal/faults"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
)

func TestEachBugHasAPlan(t *testing.T) {
	t.Parallel()
	var planned []seeded.Bug
	for _, p := range plans {
		planned = append(planned, p.bug)
		for _, k := range p.kinds {
			if !slices.Contains(faults.Kinds(), k) {
				t.Errorf("%s: there is no fault %q", p.bug, k)
			}
		}
		for _, rule := range p.shows {
			if !slices.ContainsFunc(check.Rules, func(r check.Rule) bool { return r.Name == rule }) {
				t.Errorf("%s: there is no rule %q", p.bug, rule)
			}
			if slices.Contains(lateness, rule) {
				t.Errorf("%s would be caught by lateness, as %q", p.bug, rule)
			}
		}
		if p.duration > 20*time.Second || len(p.kinds) == 0 || len(p.shows) == 0 {
			t.Errorf("%s: %+v", p.bug, p)
		}
	}
	all := seeded.Bugs()
	slices.Sort(all)
	slices.Sort(planned)
	if !slices.Equal(planned, all) {
		t.Errorf("plans for %v, there are %v", planned, all)
	}
}

// scripted carries no drill out: it answers by bug and seed what a drill would have found.
func scripted(t *testing.T, runs *[]string, answer func(drill.Config) (result, error)) func(context.Context, drill.Config, io.Writer) (result, error) {
	t.Helper()
	return func(_ context.Context, cfg drill.Config, out io.Writer) (result, error) {
		*runs = append(*runs, fmt.Sprintf("%s %d", cfg.Bug, cfg.Seed))
		fmt.Fprintf(out, "log of %s %d\n", cfg.Bug, cfg.Seed)
		return answer(cfg)
	}
}

// firstRules answers with the first rule that a bug can break.
func firstRules(cfg drill.Config) (result, error) {
	for _, p := range plans {
		if p.bug == cfg.Bug {
			return result{violations: []check.Violation{{Rule: p.shows[0]}, {Rule: p.shows[0]}}, took: 12 * time.Second}, nil
		}
	}
	return result{}, nil
}

func config(t *testing.T) Config {
	t.Helper()
	cfg := Config{Drill: drill.Defaults()}
	cfg.Drill.Seed, cfg.Drill.Out = 7, t.TempDir()
	return cfg
}

func TestAllCaught(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	var runs []string
	if err := search(t.Context(), config(t), &out, scripted(t, &runs, firstRules)); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"\nskip-version-check             linearizable  12 s   7\n", "\nstream-sequence-cursor         standstill    12 s   7\n",
		"\nPASS: 6 of 6 seeded bugs were caught\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if len(runs) != len(plans) || strings.Contains(out.String(), "log of") {
		t.Errorf("%v\n%s", runs, out.String())
	}
}

// TestAnotherSeed lets two schedules miss, and demands that a third is tried and no fourth.
func TestAnotherSeed(t *testing.T) {
	t.Parallel()
	for after, want := range map[uint64]string{2: "relay-without-fencing  marks      12 s   9 (of 3 tried)", 9: "relay-without-fencing  NOT CAUGHT  0 s    9 (of 3 tried)"} {
		var out strings.Builder
		var runs []string
		cfg := config(t)
		cfg.Only = []seeded.Bug{seeded.RelayWithoutFencing}
		err := search(t.Context(), cfg, &out, scripted(t, &runs, func(run drill.Config) (result, error) {
			if run.Seed < cfg.Drill.Seed+after { // what it finds has nothing to do with the bug
				return result{violations: []check.Violation{{Rule: "levels"}}}, nil
			}
			return firstRules(run)
		}))
		if missed := after > 2; errors.Is(err, ErrMissed) != missed || (err != nil) != missed {
			t.Errorf("%d: %v", after, err)
		}
		if !slices.Equal(runs, []string{"relay-without-fencing 7", "relay-without-fencing 8", "relay-without-fencing 9"}) {
			t.Errorf("%d: %v", after, runs)
		}
		// What was missed can be read.
		squeezed := strings.Join(strings.Fields(out.String()), " ")
		if !strings.Contains(squeezed, strings.Join(strings.Fields(want), " ")) || !strings.Contains(out.String(), "log of relay-without-fencing 8") {
			t.Errorf("%d:\n%s", after, out.String())
		}
	}
}

// TestLatenessCatchesNothing demands that no bug counts as caught by what a slow machine does as well.
func TestLatenessCatchesNothing(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	var runs []string
	err := search(t.Context(), config(t), &out, scripted(t, &runs, func(drill.Config) (result, error) {
		var late []check.Violation
		for _, rule := range append([]string{"streams", "levels", "answers"}, lateness...) {
			late = append(late, check.Violation{Rule: rule})
		}
		return result{violations: late}, nil
	}))
	if !errors.Is(err, ErrMissed) || !strings.Contains(out.String(), "FAIL: 0 of 6") || len(runs) != mostSeeds*len(plans) {
		t.Errorf("%v after %v\n%s", err, runs, out.String())
	}
}

// TestBrokenDrill demands that drills that could not be carried out neither catch nor miss.
func TestBrokenDrill(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	var runs []string
	broken := errors.New("no database")
	err := search(t.Context(), config(t), &out, scripted(t, &runs, func(drill.Config) (result, error) {
		return result{violations: []check.Violation{{Rule: "linearizable"}}}, broken
	}))
	if !errors.Is(err, broken) || errors.Is(err, ErrMissed) || len(runs) != mostBroken || !strings.Contains(out.String(), "log of") {
		t.Errorf("%v after %v\n%s", err, runs, out.String())
	}
	if strings.Contains(out.String(), "caught\n") {
		t.Errorf("it came to a verdict:\n%s", out.String())
	}
}

// TestSpentSeed lets drills break before one is carried out, and demands that the next seeds are taken, and the verdict is that
// of those which were carried out.
func TestSpentSeed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		control bool
		broken  []uint64 // seeds
		catch   uint64   // first seed that catches
		runs    int
		err     error
		says    string
	}{
		"caught after two broken ones":    {false, []uint64{7, 8}, 9, 3, nil, "9 (2 more broke)"},
		"caught after a miss and a break": {false, []uint64{8}, 9, 3, nil, "9 (of 2 tried) (1 more broke)"},
		"missed with a broken one":        {false, []uint64{8}, 99, 4, ErrMissed, "NOT CAUGHT"},
		"control with a broken one":       {true, []uint64{7}, 99, 2, nil, "PASS: none of 1 schedules"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			var runs []string
			cfg := config(t)
			cfg.Control, cfg.Only = c.control, []seeded.Bug{seeded.RowIDCursor}
			err := search(t.Context(), cfg, &out, scripted(t, &runs, func(run drill.Config) (result, error) {
				switch {
				case slices.Contains(c.broken, run.Seed):
					return result{}, errors.New("no database")
				case run.Seed < c.catch:
					return result{}, nil
				}
				return firstRules(run)
			}))
			if !errors.Is(err, c.err) || len(runs) != c.runs || !strings.Contains(out.String(), c.says) {
				t.Errorf("%v after %v\n%s", err, runs, out.String())
			}
		})
	}
}

// TestStopped demands that nothing is tried again once the search was told to end.
func TestStopped(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	var runs []string
	ctx, cancel := context.WithCancel(t.Context())
	err := search(ctx, config(t), &out, scripted(t, &runs, func(drill.Config) (result, error) {
		cancel()
		return result{}, ctx.Err()
	}))
	if !errors.Is(err, context.Canceled) || len(runs) != 1 {
		t.Errorf("%v after %v", err, runs)
	}
}

// TestBroken tells drills that say nothing from those that found something.
func TestBroken(t *testing.T) {
	t.Parallel()
	noDatabase, violated := errors.New("no database"), errors.New("promises were not kept")
	for name, c := range map[string]struct {
		judged bool
		fault  ledger.Fault
		ended  error
		broken bool
	}{
		"nothing found":                      {true, ledger.Fault{}, nil, false},
		"violations":                         {true, ledger.Fault{}, violated, false},
		"never well again":                   {true, ledger.Fault{Error: "statistics are at 3 of 9"}, violated, false},
		"no run":                             {false, ledger.Fault{}, noDatabase, true},
		"no verdict":                         {false, ledger.Fault{}, nil, true},
		"a fault that could not be injected": {true, ledger.Fault{Error: "there is no link", Undone: true}, violated, true},
	} {
		o := &observer{Companion: drill.Alone()}
		var r drill.Conductor
		if err := o.Started(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		r.Record().Faults = []ledger.Fault{c.fault}
		var stopped error
		if !c.judged {
			stopped = noDatabase
		}
		if err := o.Judge(&r, []check.Violation{{Rule: "positions"}}, stopped); !errors.Is(err, stopped) {
			t.Errorf("%s: %v", name, err)
		}
		if err := o.broken(c.ended); (err != nil) != c.broken {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{"": "PASS: none of 6 schedules", "levels": "FAIL: 6 of 6 schedules"} {
		var out strings.Builder
		var runs []string
		cfg := config(t)
		cfg.Control = true
		err := search(t.Context(), cfg, &out, scripted(t, &runs, func(run drill.Config) (result, error) {
			if run.Bug != "" {
				t.Errorf("a control with %s", run.Bug)
			}
			if rule == "" {
				return result{}, nil
			}
			return result{violations: []check.Violation{{Rule: rule}}}, nil
		}))
		if errors.Is(err, errFound) != (rule != "") || !strings.Contains(out.String(), want) || len(runs) != len(plans) {
			t.Errorf("%q: %v\n%s", rule, err, out.String())
		}
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	cfg, err := ParseFlags([]string{"-engine", "postgres", "-only", "row-id-cursor", "-seed", "4"})
	if err != nil || cfg.Drill.Engine != cluster.Postgres || cfg.Drill.Seed != 4 || cfg.Drill.Bin != drill.SeededBin || !slices.Equal(cfg.Only, []seeded.Bug{seeded.RowIDCursor}) {
		t.Errorf("%+v, %v", cfg, err)
	}
	run := plans[3].drill(cfg, 5)
	if run.Bug != plans[3].bug || run.Seed != 5 || run.Duration != plans[3].duration || !slices.Equal(run.Targets, plans[3].targets) || filepath.Base(run.Out) != string(plans[3].bug) || run.Calm != calmWithin {
		t.Errorf("%+v", run)
	}
	if _, err := ParseFlags([]string{"-only", "row-id"}); err == nil {
		t.Error("an unknown bug was accepted")
	}
}

// TestEnough demands that faults end once something does not recover in time, and not before.
func TestEnough(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault  ledger.Fault
		enough bool
	}{{ledger.Fault{Whole: time.Second}, false}, {ledger.Fault{Whole: 3 * time.Second}, true}, {ledger.Fault{Error: "there is no link"}, true}} {
		ended := false
		o := &observer{Companion: drill.Alone(), limit: 2 * time.Second, enough: func() { ended = true }}
		var r drill.Conductor
		if err := o.Started(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		r.Record().Faults = []ledger.Fault{c.fault}
		o.FaultEnds(time.Second)
		if ended != c.enough {
			t.Errorf("%+v: %v", c.fault, ended)
		}
	}
}
