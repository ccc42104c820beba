package drill

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
)

// Level is what one process occupies.
type Level struct {
	Goroutines, Files int
	Heap              int64 // in use behind the last collection, bytes
	Memory            int64 // resident, bytes
}

// levelsBefore measures all replicas before the load.
func (r *Conductor) levelsBefore(ctx context.Context) error {
	if err := limitsLevels(r.cfg.Limits); err != nil {
		return err
	}
	for _, s := range r.cluster.Services() {
		l, err := settled(ctx, s.Name(), measureOf(s), func(Level) bool { return true })
		if err != nil {
			return err
		}
		r.record.Found.Levels = append(r.record.Found.Levels, check.Level{
			Process: s.Name(), GoroutinesBefore: l.Goroutines, FDsBefore: l.Files, HeapBefore: l.Heap, MemoryBefore: l.Memory,
		})
	}
	return nil
}

// limitsLevels returns an error unless each level has a limit: where there is none, nothing would be found.
func limitsLevels(l check.Limits) error {
	for what, limit := range map[string]int64{"goroutines": int64(l.Goroutines), "open files": int64(l.FDs), "heap": l.Heap, "memory": l.Memory} {
		if limit <= 0 {
			return fmt.Errorf("the limit of %s must be positive, not %d", what, limit)
		}
	}
	return nil
}

// levelsAfter measures them again without the edge, so that nobody holds connections, and gives each a while to let go.
func (r *Conductor) levelsAfter(ctx context.Context) error {
	if err := r.cluster.Edge.Kill(); err != nil {
		return err
	}
	for i, s := range r.cluster.Services() {
		at, limits := &r.record.Found.Levels[i], r.cfg.Limits
		l, err := settled(ctx, s.Name(), measureOf(s), func(l Level) bool {
			return l.Goroutines-at.GoroutinesBefore <= limits.Goroutines && l.Files-at.FDsBefore <= limits.FDs &&
				l.Heap-at.HeapBefore <= limits.Heap && l.Memory-at.MemoryBefore <= limits.Memory
		})
		if err != nil {
			return err
		}
		at.GoroutinesAfter, at.FDsAfter, at.HeapAfter, at.MemoryAfter = l.Goroutines, l.Files, l.Heap, l.Memory
	}
	return nil
}

func measureOf(s *cluster.Service) func(context.Context) (Level, error) {
	return func(ctx context.Context) (Level, error) { return Measure(ctx, s) }
}

// settled measures one process until it occupies little enough, restWithin at most, and returns what was measured last. That
// it could not be measured is an error: nobody knows what it occupies.
func settled(ctx context.Context, name string, measure func(context.Context) (Level, error), enough func(Level) bool) (last Level, err error) {
	ctx, cancel := context.WithTimeout(ctx, restWithin)
	defer cancel()
	measured := false
	for {
		l, failed := measure(ctx)
		if failed == nil {
			last, measured = l, true
			if enough(l) {
				return last, nil
			}
		} else {
			err = failed
		}
		if over := rest(ctx, levelsEvery); over != nil {
			if measured {
				return last, nil // too much, which the checker says
			}
			return last, fmt.Errorf("what %s occupies was not to be found out within %s: %w", name, restWithin, errors.Join(err, over))
		}
	}
}

// How processes are measured.
const (
	levelsEvery   = 200 * time.Millisecond
	measureWithin = 5 * time.Second // one look at a service
)

// Measure asks a service for its goroutines and its heap, and the kernel for the rest.
func Measure(ctx context.Context, s *cluster.Service) (Level, error) {
	ctx, cancel := context.WithTimeout(ctx, measureWithin)
	defer cancel()
	l, err := measure(ctx, s.Addr, s.PID())
	if err != nil {
		return Level{}, fmt.Errorf("measure %s: %w", s.Name(), err)
	}
	return l, nil
}

func measure(ctx context.Context, addr string, pid int) (l Level, err error) {
	if pid == 0 {
		return l, errors.New("it does not run")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return l, err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return l, err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	found, err := gauges(res.Body, goroutineMetric, goalMetric, gogcMetric)
	if err != nil {
		return l, err
	}
	l.Goroutines = int(found[goroutineMetric])
	l.Heap = int64(found[goalMetric] / (1 + found[gogcMetric]/100))
	if runtime.GOOS == "linux" { // elsewhere there is no such folder
		err = l.ofKernel(fmt.Sprintf("/proc/%d", pid))
	}
	return l, err
}

// ofKernel reads what the kernel tells of a process.
func (l *Level) ofKernel(proc string) error {
	files, err := os.ReadDir(proc + "/fd")
	if err != nil {
		return err
	}
	l.Files = len(files)
	statm, err := os.ReadFile(proc + "/statm") //nolint:gosec // of a child of ours
	if err != nil {
		return err
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return fmt.Errorf("%s/statm says %q", proc, statm)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return fmt.Errorf("%s/statm: %w", proc, err)
	}
	l.Memory = pages * int64(os.Getpagesize())
	return nil
}

// What services tell of their runtime. The runtime sets its goal at the end of each collection: what was found in use (and
// what points to it), and GOGC percent more. So the goal tells what a collection leaves, undisturbed by what piles up between two.
const (
	goroutineMetric = "go_goroutine_count"
	goalMetric      = "go_memory_gc_goal_bytes"
	gogcMetric      = "go_config_gogc_percent"
)

// gauges finds values in Prometheus's text format, where labels may stand between name and value. That one is missing is an
// error: else nobody would see a leak.
func gauges(metrics io.Reader, names ...string) (map[string]float64, error) {
	found := map[string]float64{}
	lines := bufio.NewScanner(metrics)
	for lines.Scan() {
		name, rest := lines.Text(), ""
		if end := strings.IndexAny(name, "{ "); end >= 0 {
			name, rest = name[:end], name[end:]
		}
		if !slices.Contains(names, name) {
			continue
		}
		if end := strings.LastIndexByte(rest, '}'); end >= 0 {
			rest = rest[end+1:]
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return nil, fmt.Errorf("its metric %s has no value", name)
		}
		value, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return nil, fmt.Errorf("its metric %s: %w", name, err)
		}
		found[name] = value
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, there := found[name]; !there {
			return nil, errors.New("its metrics have no " + name)
		}
	}
	return found, nil
}
