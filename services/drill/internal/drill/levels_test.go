package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errAway = errors.New("connection refused")

// TestLevelsSettle measures processes that are slow to let go, each with the time that is meant for one.
func TestLevelsSettle(t *testing.T) {
	t.Parallel()
	enough := func(l Level) bool { return l.Goroutines <= 10 }
	for name, c := range map[string]struct {
		level func(after time.Duration) (int, error)
		want  int
		took  time.Duration
		fails bool
	}{
		"at once": {func(time.Duration) (int, error) { return 7, nil }, 7, 0, false},
		"lets go after a while": {func(after time.Duration) (int, error) {
			return map[bool]int{true: 9, false: 500}[after >= 10*time.Second], nil
		}, 9, 10 * time.Second, false},
		"never lets go": {func(time.Duration) (int, error) { return 500, nil }, 500, restWithin, false},
		"never answers": {func(time.Duration) (int, error) { return 0, errAway }, 0, restWithin, true},
		"answers late": {func(after time.Duration) (int, error) {
			if after < 14*time.Second {
				return 0, errAway
			}
			return 8, nil
		}, 8, 14 * time.Second, false},
		"answers once, with too much": {func(after time.Duration) (int, error) {
			if after > 0 {
				return 0, errAway
			}
			return 500, nil
		}, 500, restWithin, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				l, err := settled(t.Context(), "task-1", func(context.Context) (Level, error) {
					n, err := c.level(time.Since(began))
					return Level{Goroutines: n}, err
				}, enough)
				if l.Goroutines != c.want || (err != nil) != c.fails || time.Since(began) != c.took {
					t.Errorf("%+v, %v after %s; want %d after %s", l, err, time.Since(began), c.want, c.took)
				}
				if c.fails && (!errors.Is(err, errAway) || !strings.Contains(err.Error(), "task-1")) {
					t.Errorf("it does not say whom it could not measure, and why: %v", err)
				}
			})
		})
	}
}

func TestLevelsNeedLimits(t *testing.T) {
	t.Parallel()
	if err := limitsLevels(Defaults().Limits); err != nil {
		t.Error(err)
	}
	for what, limits := range map[string]func(*Config){
		"goroutines": func(c *Config) { c.Limits.Goroutines = 0 }, "open files": func(c *Config) { c.Limits.FDs = -1 },
		"heap": func(c *Config) { c.Limits.Heap = 0 }, "memory": func(c *Config) { c.Limits.Memory = 0 },
	} {
		cfg := Defaults()
		limits(&cfg)
		if err := limitsLevels(cfg.Limits); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("without a limit of %s: %v", what, err)
		}
	}
}

// TestMeasureOurselves has this program stand for a service.
func TestMeasureOurselves(t *testing.T) {
	t.Parallel()
	text := fmt.Sprintf("%s 41\n%s 200\n%s 100\n", goroutineMetric, goalMetric, gogcMetric)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := io.WriteString(w, text); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	addr := strings.TrimPrefix(s.URL, "http://")
	l, err := measure(t.Context(), addr, os.Getpid())
	if err != nil || l.Goroutines != 41 || l.Heap != 100 {
		t.Errorf("%+v, %v", l, err)
	}
	if runtime.GOOS == "linux" && (l.Files == 0 || l.Memory == 0) {
		t.Errorf("the kernel tells nothing: %+v", l)
	}
	const none = 1 << 30 // no process has such an id
	for _, pid := range []int{0, none} {
		if l, err := measure(t.Context(), addr, pid); err == nil && (pid == 0 || runtime.GOOS == "linux") {
			t.Errorf("process %d was measured: %+v", pid, l)
		}
	}
}
