package drill

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
)

// level is what one process occupies.
type level struct {
	goroutines, files int
	memory            int64
}

// levelsBefore measures all replicas before the load.
func (r *Conductor) levelsBefore(ctx context.Context) error {
	for _, s := range r.cluster.Services() {
		l, err := measure(ctx, s)
		if err != nil {
			return err
		}
		r.record.Found.Levels = append(r.record.Found.Levels, check.Level{
			Process: s.Name(), GoroutinesBefore: l.goroutines, FDsBefore: l.files, MemoryBefore: l.memory,
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
			l, err := measure(ctx, s)
			if err != nil && ctx.Err() == nil {
				return err
			}
			if err == nil {
				at.GoroutinesAfter, at.FDsAfter, at.MemoryAfter = l.goroutines, l.files, l.memory
			}
			if l.goroutines-at.GoroutinesBefore <= r.cfg.Limits.Goroutines && l.files-at.FDsBefore <= r.cfg.Limits.FDs || rest(ctx, 200*time.Millisecond) != nil {
				break
			}
		}
	}
	return nil
}

// measure asks a service for its goroutines, and the kernel for the rest.
func measure(ctx context.Context, s *cluster.Service) (level, error) {
	var l level
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
	if l.goroutines, err = goroutines(res.Body); err != nil {
		return l, fmt.Errorf("measure %s: %w", s.Name(), err)
	}
	proc := fmt.Sprintf("/proc/%d", s.PID())
	if files, err := os.ReadDir(proc + "/fd"); err == nil { // elsewhere than on Linux there is none
		l.files = len(files)
	}
	if statm, err := os.ReadFile(proc + "/statm"); err == nil { //nolint:gosec // of a child of ours
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			if pages, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				l.memory = pages * int64(os.Getpagesize())
			}
		}
	}
	return l, nil
}

// goroutineMetric is the name under which services tell how many goroutines they have.
const goroutineMetric = "go_goroutine_count"

// goroutines finds the number in Prometheus's text format, where labels may stand between name and value.
func goroutines(metrics io.Reader) (int, error) {
	lines := bufio.NewScanner(metrics)
	for lines.Scan() {
		rest, is := strings.CutPrefix(lines.Text(), goroutineMetric)
		if !is || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		if end := strings.LastIndexByte(rest, '}'); end >= 0 {
			rest = rest[end+1:]
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			break
		}
		n, err := strconv.ParseFloat(fields[0], 64)
		return int(n), err
	}
	return 0, errors.Join(lines.Err(), errors.New("its metrics have no "+goroutineMetric)) // else nobody would see a leak
}
