// Package soak is a long drill: steady load with faults all the time, and in the end, beyond the drill's checks, what the
// clients had of it: how much of the error budget was used, how long requests took during faults and outside them, what a
// killed replica cost, how fast statistics catch up, and whether memory grows.
package soak

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
	"github.com/tallyboard/tallyboard/services/drill/internal/workload"
)

// Defaults and the shape of a run.
const (
	defaultDuration = 30 * time.Minute
	defaultClients  = 16
	defaultRate     = 100 // operations a second
	faultEvery      = 7500 * time.Millisecond
	statusEvery     = time.Minute
	// Behind the faults the load goes on for a tenth of their time, within these bounds, for memory's sake.
	restPart     = 10
	shortestRest = 15 * time.Second
	longestRest  = 3 * time.Minute
)

// The files of a soak, beside those of a drill.
const (
	resultFile = "result.json"
	reportFile = "report.txt"
)

// Config of a soak.
type Config struct {
	drill.Config

	Backlog int // events that are written while NATS is away
}

// ParseFlags reads the soak's arguments: those of a drill, and its own.
func ParseFlags(args []string) (Config, error) {
	defaults := drill.Defaults()
	defaults.Duration, defaults.Clients, defaults.Streams, defaults.Out = defaultDuration, defaultClients, 2, "test-output/soak"
	var cfg Config
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	rate := flags.Float64("rate", defaultRate, "operations a second, of all clients together")
	every := flags.Duration("every", faultEvery, "between the beginnings of two faults, if the first one is over by then")
	flags.IntVar(&cfg.Backlog, "backlog", leastBacklog+leastBacklog/4, "events written while NATS is away, in the end")
	var err error
	if cfg.Config, err = defaults.Parse(flags, args); err != nil {
		return cfg, err
	}
	if *rate <= 0 || *every < 0 || cfg.Backlog < 0 {
		return cfg, errors.New("-rate must be positive, -every and -backlog not negative")
	}
	cfg.Rate, cfg.Every, cfg.Results = *rate, *every, []string{resultFile, reportFile}
	return cfg, nil
}

// Run carries a soak out and prints its report. When ctx ends, the faults end, and the report is of what there is. It fails if
// a promise was not kept or a target was missed.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	s := &soak{cfg: cfg, out: out, interrupted: ctx.Done(), memory: watcher{samples: map[string][]sample{}}}
	s.result.Began = time.Now().UTC()
	cfg.Until = ctx
	return drill.Accompanied(context.WithoutCancel(ctx), cfg.Config, out, s)
}

// soak accompanies a drill.
type soak struct {
	cfg         Config
	out         io.Writer
	interrupted <-chan struct{}
	meter       meter
	memory      watcher
	result      Result

	began      time.Duration // of the load
	background sync.WaitGroup
	endWatch   context.CancelFunc
}

// Observe implements drill.Companion.
func (s *soak) Observe(a workload.Attempt) { s.meter.observe(a) }

// Missed implements drill.Companion.
func (s *soak) Missed() { s.meter.missed() }

// FaultBegins implements drill.Companion.
func (s *soak) FaultBegins(at time.Duration) { s.meter.begins(at) }

// FaultEnds implements drill.Companion.
func (s *soak) FaultEnds(at time.Duration) { s.meter.ends(at) }

// Started implements drill.Companion: from now on memory is watched and the state is told each minute.
func (s *soak) Started(ctx context.Context, r *drill.Conductor) error {
	s.began = r.Since()
	ctx, s.endWatch = context.WithCancel(ctx)
	s.background.Go(func() { s.memory.watch(ctx, r.Cluster().Services(), r.Since) })
	s.background.Go(func() { s.tell(ctx, r) })
	return nil
}

// tell prints a line each minute.
func (s *soak) tell(ctx context.Context, r *drill.Conductor) {
	ticker := time.NewTicker(statusEvery)
	defer ticker.Stop()
	faults := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		m := s.meter.turn()
		faults += m.faults
		var memory []string
		now := s.memory.now()
		for _, service := range r.Cluster().Services() {
			l := now[service.Name()]
			memory = append(memory, fmt.Sprintf("%s %d", service.Name(), l.Memory>>20))
		}
		r.Sayf("minute: %.1f requests/s, %.2f %% failed, p99 %s of reads and %s of writes; %d faults so far; MiB: %s",
			float64(m.count.Requests)/statusEvery.Seconds(), 100*share(m.count.Failed, m.count.Requests),
			milliseconds(m.times[reading].Quantile(0.99)), milliseconds(m.times[writing].Quantile(0.99)), faults, strings.Join(memory, ", "))
	}
}

// AfterFaults implements drill.Companion: the load goes on while nothing breaks.
func (s *soak) AfterFaults(ctx context.Context, r *drill.Conductor) error {
	s.result.FaultsFor = r.Since() - s.began
	s.memory.rest(r.Since())
	if !s.over() {
		d := min(max(s.cfg.Duration/restPart, shortestRest), longestRest)
		r.Sayf("no more faults; the load goes on for %s", d)
		select {
		case <-time.After(d):
		case <-s.interrupted:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.endWatch()
	s.background.Wait()
	return nil
}

// over reports whether the run was interrupted.
func (s *soak) over() bool {
	select {
	case <-s.interrupted:
		return true
	default:
		return false
	}
}

// AfterLoad implements drill.Companion: it measures how statistics catch up.
func (s *soak) AfterLoad(ctx context.Context, r *drill.Conductor) error {
	for _, o := range outages(r.Cluster()) {
		if s.over() || s.cfg.Backlog == 0 {
			return nil
		}
		c := catchUp(ctx, r, o, s.cfg.Backlog)
		s.result.CatchUps = append(s.result.CatchUps, c)
		r.Sayf("%s", &c)
		r.AwaitCalm(ctx)
	}
	return nil
}

// errMissed says that the run held its promises, and not its targets; each was printed.
var errMissed = errors.New("targets were missed")

// Judge implements drill.Companion: it sums up, prints, and writes the files.
func (s *soak) Judge(r *drill.Conductor, violations []check.Violation, broken error) error {
	if s.endWatch != nil { // the run may have broken before
		s.endWatch()
	}
	s.background.Wait()
	s.sum(r, violations, broken)
	var text strings.Builder
	err := s.result.print(&text)
	fmt.Fprint(s.out, text.String())
	b, failed := json.MarshalIndent(s.result, "", " ")
	err = errors.Join(err, failed, os.WriteFile(filepath.Join(r.Logs(), resultFile), b, 0o644), //nolint:gosec // for whoever looks into the run
		os.WriteFile(filepath.Join(r.Logs(), reportFile), []byte(text.String()), 0o644)) //nolint:gosec // as well
	if err != nil {
		err = fmt.Errorf("keep the result: %w", err)
	}
	if broken != nil {
		return errors.Join(broken, err)
	}
	if missed := s.result.missed(); len(missed) > 0 {
		return errors.Join(fmt.Errorf("%w: %s", errMissed, strings.Join(missed, "; ")), err)
	}
	return err
}

// missed names the targets that were missed.
func (r *Result) missed() (names []string) {
	for _, t := range r.Targets {
		if t.Verdict == Missed {
			names = append(names, t.Name+" "+t.Got)
		}
	}
	return names
}

// sum makes the result.
func (s *soak) sum(r *drill.Conductor, violations []check.Violation, broken error) {
	record, out := r.Record(), &s.result
	out.Name, out.Interrupted, out.Took, out.Violations, out.Faults = record.Name, s.over(), r.Since(), violations, record.Faults
	if broken != nil {
		out.Broken = broken.Error()
	}
	out.Events, out.Tasks, out.Levels = len(record.Found.Events), len(record.Found.Tasks), record.Found.Levels
	for i := range record.Ops {
		switch op := &record.Ops[i]; op.Outcome {
		case ledger.Acknowledged:
			out.Operations.Acknowledged++
		case ledger.Refused:
			out.Operations.Refused++
		case ledger.Unknown:
			out.Operations.Unknown++
		}
		if record.Ops[i].Attempts > 1 {
			out.Operations.SentAgain++
		}
	}
	m := &s.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.spans {
		out.FaultyFor += w.until - w.from
	}
	out.Requests.During, out.Requests.Outside = budget(m.counts[during]), budget(m.counts[outside])
	out.Requests.All = budget(m.counts[during].plus(m.counts[outside]))
	waited := untilAcknowledged(record.Ops, m.spans)
	for a, name := range map[action]string{reading: "reads", writing: "writes"} {
		out.Latency = append(out.Latency, pair(name, &m.times[during][a], &m.times[outside][a]),
			pair(name+", until acknowledged", &waited[during][a], &waited[outside][a]))
	}
	slices.SortFunc(out.Latency, func(x, y LatencyPair) int { return strings.Compare(x.Of, y.Of) })
	out.ReplicaKills = replicaKills(record.Faults, m.failed, s.cfg.Clients)
	out.DatabaseKills = databaseKills(record.Faults)
	for _, service := range []string{"task-1", "task-2", "stats-1", "stats-2"} {
		if samples := s.memory.samples[service]; len(samples) > 0 {
			out.Memory = append(out.Memory, trend(service, samples, s.memory.rested))
		}
	}
	out.judge()
}
