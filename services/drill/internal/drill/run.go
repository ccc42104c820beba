// Package drill conducts: it starts a cluster, lets clients loose on it, injects faults, waits until all is calm, takes
// stock, and has it checked.
package drill

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/clock"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/faults"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
	"github.com/tallyboard/tallyboard/services/drill/internal/workload"
)

// projects are the keys of what clients work in.
var projects = []string{"DRA", "DRB"}

// How long the phases around the faults may take.
const (
	warmUp     = 2 * time.Second
	coolDown   = time.Second
	calmWithin = 60 * time.Second // until everything that was written has arrived everywhere
	restWithin = 15 * time.Second // until a process has let go of what the load needed
)

// walksAway is how many operations there are to one whose client does not ask again when it got no answer.
const walksAway = 4

// mostFaults is the length of a schedule; no run comes to its end.
const mostFaults = 100_000

// The files of a run, beside the logs of its processes.
const (
	ledgerFile   = "ledger.jsonl"
	recordFile   = "record.jsonl"
	scheduleFile = "schedule.json"
)

// errViolated says that a promise was not kept; each violation was printed.
var errViolated = errors.New("promises were not kept")

// Conductor conducts one run.
type Conductor struct {
	cfg     Config
	with    Companion
	out     io.Writer
	dir     string // of this run, within which everything lives
	began   time.Time
	cluster *cluster.Cluster
	log     *ledger.Log
	load    *workload.Load
	record  check.Record

	unstopped error // what could not be ended properly in the end
}

// Run carries a drill out and prints its table. The error is errViolated if a promise was not kept.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	return Accompanied(ctx, cfg, out, alone{})
}

// Accompanied carries a drill out in company. It fails if a promise was not kept, or as the companion judges.
func Accompanied(ctx context.Context, cfg Config, out io.Writer, with Companion) (err error) {
	r := &Conductor{cfg: cfg, with: with, out: out, record: check.Record{Limits: cfg.Limits, Name: fmt.Sprintf("seed %d on %s with %d NATS", cfg.Seed, cfg.Engine, cfg.NATS)}}
	if r.dir, err = cluster.NewFolder(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.clear(err != nil)) }()
	if err := os.Mkdir(r.logs(), 0o755); err != nil { //nolint:gosec // for whoever looks into the run
		return fmt.Errorf("make a folder: %w", err)
	}
	if r.log, err = ledger.Open(filepath.Join(r.logs(), ledgerFile)); err != nil {
		return err
	}
	conducted := r.conduct(ctx)
	return r.conclude(errors.Join(conducted, r.log.Close(), r.save()))
}

// conclude judges a run that came to its end, or says how it broke. What could not be ended is said in any case.
func (r *Conductor) conclude(broken error) error {
	if broken != nil {
		return errors.Join(r.with.Judge(r, nil, broken), r.unstopped)
	}
	return errors.Join(r.judge(), r.unstopped)
}

// judge checks the record and prints the table.
func (r *Conductor) judge() error {
	violations := check.All(r.record)
	err := r.report(violations)
	if len(violations) > 0 {
		err = errors.Join(err, errViolated)
	}
	return errors.Join(err, r.with.Judge(r, violations, nil))
}

// Recheck checks what a run has left in a folder, again: with a changed checker, or to see its table once more.
func Recheck(dir string, out io.Writer) error {
	r := &Conductor{out: out, with: alone{}}
	var err error
	if r.record, err = loadRecord(filepath.Join(dir, recordFile)); err != nil {
		return err
	}
	if r.record.Ops, err = ledger.Load(filepath.Join(dir, ledgerFile)); err != nil {
		return err
	}
	return r.judge()
}

func (r *Conductor) logs() string { return filepath.Join(r.dir, "logs") }

func (r *Conductor) since() time.Duration { return time.Since(r.began) }

func (r *Conductor) sayf(format string, args ...any) {
	fmt.Fprintf(r.out, "%6.1f s  "+format+"\n", append([]any{r.since().Seconds()}, args...)...)
}

// conduct runs the drill from start to stock-taking.
func (r *Conductor) conduct(ctx context.Context) (err error) {
	r.began = time.Now()
	tasks, stats, self, err := r.cfg.programs()
	if err != nil {
		return err
	}
	r.sayf("starting %s, %d NATS and %d replicas of each service", r.cfg.Engine, r.cfg.NATS, cluster.Replicas)
	r.cluster, err = cluster.Start(ctx, cluster.Config{
		Engine: r.cfg.Engine, NATS: r.cfg.NATS, Dir: r.dir, Logs: r.logs(), Tasks: tasks, Stats: stats, Self: self, Script: r.cfg.Script,
		Extra: r.cfg.extra, Each: r.clocks(tasks, stats), Disks: r.cfg.drills(faults.DiskFull),
	})
	if err != nil {
		return fmt.Errorf("start the cluster: %w", err)
	}
	defer func() {
		if err := r.cluster.Stop(); err != nil {
			r.unstopped = fmt.Errorf("stop the cluster: %w", err)
		}
	}()
	if err := r.notDrilled(); err != nil {
		return err
	}
	r.load, err = workload.New(ctx, workload.Config{
		URL: r.cluster.URL(), Projects: projects, Clients: r.cfg.Clients, Streams: r.cfg.Streams, Seed: r.cfg.Seed, Pause: r.cfg.Pause, Rate: r.cfg.Rate, Log: r.log, Since: r.since,
		WalksAway: walksAway, Observe: r.with.Observe, Missed: r.with.Missed,
	})
	if err != nil {
		return fmt.Errorf("make the projects: %w", err)
	}
	if err := r.watchSteps(ctx); err != nil {
		return err
	}
	if err := r.levelsBefore(ctx); err != nil {
		return err
	}
	if err := r.with.Started(ctx, r); err != nil {
		return err
	}
	if err := r.underLoad(ctx); err != nil {
		return err
	}
	if r.record.Ops, err = r.log.Ops(); err != nil {
		return err
	}
	if err := r.takeStock(ctx); err != nil {
		return fmt.Errorf("take stock: %w", err)
	}
	return r.levelsAfter(ctx)
}

// underLoad breaks things while clients work, and waits until all is calm.
func (r *Conductor) underLoad(ctx context.Context) error {
	watching, endWatch := context.WithCancel(ctx)
	defer endWatch()
	var watch sync.WaitGroup
	var unseen error
	watch.Go(func() { r.record.Marks, unseen = r.watchMarks(watching) })
	r.load.Start(ctx)
	err := r.breakThings(ctx)
	if err == nil {
		err = r.with.AfterFaults(ctx, r)
	}
	r.load.EndWrites()
	r.AwaitCalm(ctx)
	if err == nil {
		err = r.with.AfterLoad(ctx, r)
	}
	endWatch()
	watch.Wait()
	r.record.Streams = r.load.EndStreams()
	return errors.Join(err, unseen, ctx.Err())
}

// AwaitCalm waits until everything has arrived everywhere; what does not arrive shows in the stock.
func (r *Conductor) AwaitCalm(ctx context.Context) {
	within := cmp.Or(r.cfg.Calm, calmWithin)
	if err := r.calm(ctx, within); err != nil {
		r.sayf("not calm within %s: %v", within, err)
	}
}

// breakThings injects faults until the time is over.
func (r *Conductor) breakThings(ctx context.Context) error {
	if err := rest(ctx, warmUp); err != nil {
		return err
	}
	schedule := r.cfg.schedule(r.parts(), min(mostFaults, 2+int(r.cfg.Duration/(500*time.Millisecond))))
	injector := &faults.Injector{Cluster: r.cluster, Copies: filepath.Join(r.dir, "copies"), Random: rand.New(rand.NewPCG(r.cfg.Seed, 1))} //nolint:gosec // the same again with the same seed
	if err := writeJSON(filepath.Join(r.logs(), scheduleFile), schedule); err != nil {
		return err
	}
	if r.cfg.drills(faults.RestoreOld) {
		if err := injector.CopyStream(ctx); err != nil {
			return fmt.Errorf("copy the stream: %w", err)
		}
	}
	ending, end := context.WithCancel(ctx) // ends pauses, never a fault, which must be mended
	defer end()
	stop := context.AfterFunc(r.cfg.until(), end) //nolint:contextcheck // what ends the faults early is not what ends the run
	defer stop()
	for began := r.since(); len(schedule) > 0 && ending.Err() == nil; {
		var now []faults.Fault
		now, schedule = faults.Next(schedule)
		pause := max(now[0].Before, began+time.Duration(len(r.record.Faults))*r.cfg.Every-r.since())
		if r.since()+pause+now[0].For > began+r.cfg.Duration {
			pause = began + r.cfg.Duration - r.since() // nothing more, but the load goes on
			now = nil
		}
		if rest(ending, pause) != nil || now == nil {
			break
		}
		r.with.FaultBegins(r.since())
		r.breakNow(ctx, injector, now)
		r.with.FaultEnds(r.since())
	}
	return rest(ctx, coolDown)
}

// breakNow injects faults that belong together and measures the recovery from all of them.
func (r *Conductor) breakNow(ctx context.Context, injector *faults.Injector, now []faults.Fault) {
	done := make([]ledger.Fault, len(now))
	var all sync.WaitGroup
	for i, f := range now {
		all.Go(func() {
			done[i] = ledger.Fault{Kind: string(f.Kind), Target: f.Target, Start: r.since()}
			detail, err := injector.Do(ctx, f)
			done[i].Healed, done[i].Detail = r.since(), detail
			if err != nil {
				done[i].Error, done[i].Undone = err.Error(), true
			}
		})
	}
	all.Wait()
	serving, whole, err := r.recover(ctx, r.since())
	for i, f := range done {
		f.Serving, f.Whole = serving, whole
		if err != nil && f.Error == "" {
			f.Error = err.Error()
		}
		r.record.Faults = append(r.record.Faults, f)
		with := map[bool]string{true: "+ ", false: ""}[i > 0]
		r.sayf("%-18s %-20s %5.1f s; writes again after %.2f s, all well after %.2f s  %s%s", with+f.Kind, f.Target, (f.Healed - f.Start).Seconds(),
			f.Serving.Seconds(), f.Whole.Seconds(), f.Detail, f.Error)
	}
}

// parts names what can be hit.
func (r *Conductor) parts() faults.Parts {
	p := faults.Parts{Database: r.cluster.DB.Name(), Edge: r.cluster.Edge.Name()}
	for _, s := range r.cluster.Tasks {
		p.Tasks = append(p.Tasks, s.Name())
	}
	for _, s := range r.cluster.Stats {
		p.Stats = append(p.Stats, s.Name())
	}
	for _, n := range r.cluster.NATS {
		p.NATS = append(p.NATS, n.Name())
	}
	p.Disks = r.cluster.Disks()
	return p
}

// clocks returns by how much the clock of a replica is off at a start; nil: all are right.
func (r *Conductor) clocks(programs ...string) func(replica string, start int) []string {
	if !r.cfg.Clocks {
		return nil
	}
	for _, program := range programs {
		if err := clock.Has(program); err != nil {
			r.record.NotDrilled = append(r.record.NotDrilled, fmt.Sprintf("clocks that differ: %v", err))
			return nil
		}
	}
	return func(replica string, start int) []string {
		return []string{clock.Setting(clock.Offset(r.cfg.Seed, replica, start))}
	}
}

// notDrilled records what this machine does not let us drill. What was asked for by name must be possible.
func (r *Conductor) notDrilled() error {
	if r.cluster.NoDisks == nil {
		return nil
	}
	why := fmt.Sprintf("%s: %v", faults.DiskFull, r.cluster.NoDisks)
	r.record.NotDrilled = append(r.record.NotDrilled, why)
	if len(r.cfg.Kinds) > 0 {
		return fmt.Errorf("not drilled here: %s", why)
	}
	return nil
}

// save writes the record beside the logs.
func (r *Conductor) save() error { return saveRecord(filepath.Join(r.logs(), recordFile), &r.record) }

// clear removes what a run leaves, and keeps logs, ledger and record of one that failed.
func (r *Conductor) clear(failed bool) error {
	to := filepath.Join(r.cfg.Out, fmt.Sprintf("seed-%d-%s-%s", r.cfg.Seed, r.cfg.Engine, time.Now().UTC().Format("20060102-150405")))
	switch {
	case failed || r.cfg.Keep:
		if err := os.CopyFS(to, os.DirFS(r.logs())); err != nil {
			return fmt.Errorf("keep the logs of the run: %w", err)
		}
		fmt.Fprintf(r.out, "Ledger, schedule, record and logs are in %s\n", to)
	case len(r.cfg.Results) > 0:
		for _, name := range r.cfg.Results {
			if err := copyFile(filepath.Join(to, name), filepath.Join(r.logs(), name)); err != nil {
				return fmt.Errorf("keep the results of the run: %w", err)
			}
		}
		fmt.Fprintf(r.out, "%s: in %s\n", strings.Join(r.cfg.Results, ", "), to)
	}
	if err := os.RemoveAll(r.dir); err != nil {
		return fmt.Errorf("remove the run's folder: %w", err)
	}
	return nil
}

func copyFile(to, from string) error {
	b, err := os.ReadFile(from) //nolint:gosec // of this run
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // for whoever looks into the run
		return err
	}
	return os.WriteFile(to, b, 0o644) //nolint:gosec // for whoever looks into the run
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil { //nolint:gosec // for whoever looks into the run
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
