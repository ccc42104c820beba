package bugs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
)

// mostSeeds is how many schedules are tried before a bug counts as missed. Which statement an interruption hits is chance.
const mostSeeds = 3

// How long a run with a bug waits for what does not come; sound services need less under these schedules.
const (
	wholeWithin = 8 * time.Second
	calmWithin  = 5 * time.Second
)

// ErrMissed says that not every bug was caught; the table says which.
var ErrMissed = errors.New("not every seeded bug was caught")

// errFound is the same of a control: something was found in services without a bug.
var errFound = errors.New("sound services seem broken: the seeded bugs prove nothing")

// Config of the drills.
type Config struct {
	Drill   drill.Config // of each; plan and seed fill the rest
	Control bool         // runs every plan without its bug and demands that nothing is found
	Only    []seeded.Bug // bugs to look for; empty: all
}

// ParseFlags reads the arguments of "drill bugs".
func ParseFlags(args []string) (Config, error) {
	var cfg Config
	flags := flag.NewFlagSet("drill bugs", flag.ContinueOnError)
	flags.BoolVar(&cfg.Control, "control", false, "carry out every schedule without its bug, and demand that nothing is found")
	flags.Func("only", "look for this bug only; may be repeated", func(name string) error {
		cfg.Only = append(cfg.Only, seeded.Bug(name))
		if !slices.Contains(seeded.Bugs(), seeded.Bug(name)) {
			return fmt.Errorf("there are %v", seeded.Bugs())
		}
		return nil
	})
	base := drill.Defaults()
	base.Calm = calmWithin
	base.Limits.Whole = wholeWithin
	var err error
	if cfg.Drill, err = base.Parse(flags, args); err != nil {
		return cfg, err
	}
	cfg.Drill.Bin = cmp.Or(cfg.Drill.Bin, drill.SeededBin)
	return cfg, nil
}

// Run looks for the bugs, one after the other, and prints a table and a last line. It fails with [ErrMissed], or because a
// drill could not be carried out.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	return search(ctx, cfg, out, once)
}

// search is Run with a given way to carry a drill out.
func search(ctx context.Context, cfg Config, out io.Writer, once func(context.Context, drill.Config, io.Writer) (result, error)) error {
	var rows []row
	for _, p := range plans {
		if len(cfg.Only) > 0 && !slices.Contains(cfg.Only, p.bug) {
			continue
		}
		r := row{plan: p}
		for r.seeds < mostSeeds && len(r.by) == 0 {
			run := p.drill(cfg, cfg.Drill.Seed+uint64(r.seeds))
			r.seeds++
			r.seed = run.Seed
			fmt.Fprintf(out, "%s, seed %d: %s of faults …\n", p.bug, run.Seed, p.duration)
			var said bytes.Buffer
			found, err := once(ctx, run, &said)
			if err != nil { // neither caught nor missed
				fmt.Fprint(out, said.String())
				return fmt.Errorf("drill of %s, seed %d: %w", p.bug, run.Seed, err)
			}
			r.took, r.by = found.took, p.caughtBy(found.violations, cfg.Control)
			if (len(r.by) == 0) != cfg.Control { // as it should not be
				fmt.Fprint(out, said.String())
			} else if err := os.RemoveAll(run.Out); err != nil {
				return fmt.Errorf("remove what a drill left: %w", err)
			}
			if cfg.Control {
				break
			}
		}
		rows = append(rows, r)
	}
	if cfg.Control {
		return reportControl(out, rows)
	}
	return report(out, rows)
}

// drill returns what to carry out.
func (p plan) drill(cfg Config, seed uint64) drill.Config {
	run := cfg.Drill
	run.Seed, run.Kinds, run.Targets, run.Duration = seed, p.kinds, p.targets, p.duration
	run.Calm = cmp.Or(p.calm, run.Calm)
	run.Out = filepath.Join(run.Out, "bugs", string(p.bug))
	if !cfg.Control {
		run.Bug = p.bug
	}
	return run
}

// caughtBy returns the rules that were broken by the bug. In a control every rule counts.
func (p plan) caughtBy(violations []check.Violation, control bool) (rules []string) {
	for _, v := range violations {
		if (control || slices.Contains(p.shows, v.Rule)) && !slices.Contains(rules, v.Rule) {
			rules = append(rules, v.Rule)
		}
	}
	return rules
}

// row of the table.
type row struct {
	plan
	by    []string // rules
	seed  uint64   // of the last run
	seeds int      // runs
	took  time.Duration
}

func report(out io.Writer, rows []row) error {
	caught := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nbug\tcaught by\tafter\tseed")
	for _, r := range rows {
		by, seed := "NOT CAUGHT", fmt.Sprint(r.seed)
		if len(r.by) > 0 {
			caught++
			by = strings.Join(r.by, ", ")
		}
		if r.seeds > 1 {
			seed += fmt.Sprintf(" (of %d tried)", r.seeds)
		}
		fmt.Fprintf(w, "%s\t%s\t%.0f s\t%s\n", r.bug, by, r.took.Seconds(), seed)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if caught < len(rows) {
		fmt.Fprintf(out, "\nFAIL: %d of %d seeded bugs were caught\n", caught, len(rows))
		return ErrMissed
	}
	fmt.Fprintf(out, "\nPASS: %d of %d seeded bugs were caught\n", caught, len(rows))
	return nil
}

func reportControl(out io.Writer, rows []row) error {
	broken := 0
	for _, r := range rows {
		if len(r.by) > 0 {
			broken++
			fmt.Fprintf(out, "without %s: %s\n", r.bug, strings.Join(r.by, ", "))
		}
	}
	if broken > 0 {
		fmt.Fprintf(out, "FAIL: %d of %d schedules find something in services without a bug\n", broken, len(rows))
		return errFound
	}
	fmt.Fprintf(out, "PASS: none of %d schedules finds anything in services without a bug\n", len(rows))
	return nil
}

// result of a drill that could be carried out.
type result struct {
	violations []check.Violation
	took       time.Duration
}

// once carries a drill out. It fails if that was not possible; violations are no failure.
func once(ctx context.Context, cfg drill.Config, out io.Writer) (result, error) {
	began := time.Now()
	enough, end := context.WithCancel(ctx)
	defer end()
	cfg.Until = enough
	o := &observer{Companion: drill.Alone(), limit: cfg.Limits.Whole, enough: end}
	if err := drill.Accompanied(ctx, cfg, out, o); err != nil && len(o.violations) == 0 {
		return result{}, err
	}
	return result{violations: o.violations, took: time.Since(began)}, nil
}
