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

// mostSeeds is how many schedules are carried out before a bug counts as missed. Which statement an interruption hits is
// chance. Of those that could not be carried out, mostBroken are replaced by the next one.
const (
	mostSeeds  = 3
	mostBroken = 3
)

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

// Run looks for the bugs, one after the other, and prints a table and a last line. It fails with [ErrMissed], or because
// drills could not be carried out.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	return search(ctx, cfg, out, once)
}

// carrier carries a drill out. It fails if that was not possible; violations are no failure.
type carrier func(context.Context, drill.Config, io.Writer) (result, error)

// search is Run with a given way to carry a drill out.
func search(ctx context.Context, cfg Config, out io.Writer, once carrier) error {
	var rows []row
	for _, p := range plans {
		if len(cfg.Only) > 0 && !slices.Contains(cfg.Only, p.bug) {
			continue
		}
		r := row{plan: p}
		if err := r.look(ctx, cfg, out, once); err != nil {
			return err
		}
		rows = append(rows, r)
	}
	if cfg.Control {
		return reportControl(out, rows)
	}
	return report(out, rows)
}

// look carries a plan out with one seed after the other until something is found, or enough was tried; a control once. A
// drill that broke has neither caught nor missed anything: its seed is spent, and another one is tried.
func (r *row) look(ctx context.Context, cfg Config, out io.Writer, once carrier) error {
	enough := mostSeeds
	if cfg.Control {
		enough = 1
	}
	for seed := cfg.Drill.Seed; r.runs < enough && len(r.by) == 0; seed++ {
		run := r.drill(cfg, seed)
		fmt.Fprintf(out, "%s, seed %d: %s of faults …\n", r.bug, seed, r.duration)
		var said bytes.Buffer
		found, err := once(ctx, run, &said)
		if err != nil {
			fmt.Fprint(out, said.String())
			if r.broken++; r.broken == mostBroken || ctx.Err() != nil {
				return fmt.Errorf("drill of %s, seed %d, broken like %d before it: %w", r.bug, seed, r.broken-1, err)
			}
			fmt.Fprintf(out, "%s, seed %d: could not be carried out, and says nothing: %v\n", r.bug, seed, err)
			continue
		}
		r.runs++
		r.seed, r.took, r.by = seed, found.took, r.caughtBy(found.violations, cfg.Control)
		if (len(r.by) == 0) != cfg.Control { // as it should not be
			fmt.Fprint(out, said.String())
		} else if err := os.RemoveAll(run.Out); err != nil {
			return fmt.Errorf("remove what a drill left: %w", err)
		}
	}
	return nil
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
	by     []string // rules
	seed   uint64   // of the last run that could be carried out
	runs   int      // of those
	broken int      // runs that could not be
	took   time.Duration
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
		if r.runs > 1 {
			seed += fmt.Sprintf(" (of %d tried)", r.runs)
		}
		if r.broken > 0 {
			seed += fmt.Sprintf(" (%d more broke)", r.broken)
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
	err := drill.Accompanied(ctx, cfg, out, o)
	if broken := o.broken(err); broken != nil {
		return result{}, broken
	}
	return result{violations: o.violations, took: time.Since(began)}, nil
}
