package drill

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
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
	for _, s := range r.cluster.Services() {
		l, err := Measure(ctx, s)
		if err != nil {
			return err
		}
		r.record.Found.Levels = append(r.record.Found.Levels, check.Level{
			Process: s.Name(), GoroutinesBefore: l.Goroutines, FDsBefore: l.Files, HeapBefore: l.Heap, MemoryBefore: l.Memory,
		})
	}
	return nil
}

// levelsAfter measures them again without the edge, so that nobody holds connections, and gives them a while to let go.
func (r *Conductor) levelsAfter(ctx context.Context) error {
	if err := r.cluster.Edge.Kill(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, restWithin)
	defer cancel()
	for i, s := range r.cluster.Services() {
		at := &r.record.Found.Levels[i]
		for {
			l, err := Measure(ctx, s)
			if err != nil && ctx.Err() == nil {
				return err
			}
			if err == nil {
				at.GoroutinesAfter, at.FDsAfter, at.HeapAfter, at.MemoryAfter = l.Goroutines, l.Files, l.Heap, l.Memory
			}
			limits := r.cfg.Limits
			settled := l.Goroutines-at.GoroutinesBefore <= limits.Goroutines && l.Files-at.FDsBefore <= limits.FDs &&
				l.Heap-at.HeapBefore <= limits.Heap && l.Memory-at.MemoryBefore <= limits.Memory
			if settled || rest(ctx, 200*time.Millisecond) != nil {
				break
			}
		}
	}
	return nil
}

// measureWithin bounds one look at a service.
const measureWithin = 3 * time.Second

// Measure asks a service for its goroutines and its heap, and the kernel for the rest.
func Measure(ctx context.Context, s *cluster.Service) (Level, error) {
	var l Level
	ctx, cancel := context.WithTimeout(ctx, measureWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr+"/metrics", nil)
	if err != nil {
		return l, err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return l, fmt.Errorf("measure %s: %w", s.Name(), err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	found, err := gauges(res.Body, goroutineMetric, goalMetric, gogcMetric)
	if err != nil {
		return l, fmt.Errorf("measure %s: %w", s.Name(), err)
	}
	l.Goroutines = int(found[goroutineMetric])
	l.Heap = int64(found[goalMetric] / (1 + found[gogcMetric]/100))
	proc := fmt.Sprintf("/proc/%d", s.PID())
	if files, err := os.ReadDir(proc + "/fd"); err == nil { // elsewhere than on Linux there is none
		l.Files = len(files)
	}
	if statm, err := os.ReadFile(proc + "/statm"); err == nil { //nolint:gosec // of a child of ours
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			if pages, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				l.Memory = pages * int64(os.Getpagesize())
			}
		}
	}
	return l, nil
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
