package drill

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/faults"
	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
)

// Config of a drill.
type Config struct {
	Seed     uint64        // of schedule and clients
	Duration time.Duration // from the first fault until no new one begins
	Kinds    []faults.Kind // of faults; empty: all
	Targets  []string      // of faults; empty: all
	Bug      seeded.Bug    // that the services have; empty: none
	Clocks   bool          // differ between replicas, if the services are built for it
	Engine   cluster.Engine
	NATS     int    // servers: 1 or 3
	Bin      string // folder of task-service and stats-service
	Script   string // testkit/servers.sh
	Out      string // folder for what remains of a run that failed, and of every one with Keep
	Keep     bool
	Clients  int
	Streams  int // live streams in each project
	Pause    time.Duration
	Limits   check.Limits

	// Calm is how long everything that was written may take to arrive everywhere; 0: a minute.
	Calm time.Duration

	// What a soak asks for beyond a drill.

	Every   time.Duration   // between the beginnings of two faults, on average, if they are over by then; 0: one after the other
	Rate    float64         // operations a second of all clients; 0: as many as Pause allows
	Until   context.Context // its end ends the faults early, and the run goes on to its stock-taking; nil: never
	Results []string        // files of the logs' folder that are kept of a run that held, too
}

func (c Config) until() context.Context {
	if c.Until == nil {
		return context.Background()
	}
	return c.Until
}

// What a drill allows.
const (
	calmWithBug    = 10 * time.Second
	servingWithin  = 10 * time.Second
	wholeWithin    = 20 * time.Second
	moreGoroutines = 40 // the pools' and the HTTP server's, which are let go only after a while
	moreFDs        = 24 // connections of two pools, to NATS, and of clients that ask how it is
	moreHeap       = 32 << 20
	moreMemory     = 96 << 20 // the runtime keeps what the load's bursts needed for minutes
)

// ParseFlags reads the drill's arguments.
func ParseFlags(args []string) (Config, error) {
	return Defaults().Parse(flag.NewFlagSet("drill", flag.ContinueOnError), args)
}

// Defaults of a drill.
func Defaults() Config {
	return Config{Clocks: true, Duration: time.Minute, Out: "test-output/drill", Clients: 6, Streams: 3, Pause: 25 * time.Millisecond, Limits: check.Limits{Serving: servingWithin, Whole: wholeWithin, Goroutines: moreGoroutines, FDs: moreFDs, Heap: moreHeap, Memory: moreMemory}}
}

// Parse reads arguments; what they do not say is as in c. flags may have more.
func (c Config) Parse(flags *flag.FlagSet, args []string) (Config, error) {
	cfg := c
	flags.Uint64Var(&cfg.Seed, "seed", 1, "of faults and load; the same seed makes the same schedule")
	flags.DurationVar(&cfg.Duration, "duration", c.Duration, "how long faults are injected")
	flags.Func("bug", "start services with this bug, which the drill must find; they are built with -tags seededbugs: "+bugNames(), func(name string) error {
		cfg.Bug = seeded.Bug(name)
		if !slices.Contains(seeded.Bugs(), cfg.Bug) {
			return fmt.Errorf("there are %s", bugNames())
		}
		return nil
	})
	engine := flags.String("engine", string(cluster.MySQL), "mysql or postgres")
	kinds := flags.String("kinds", "", "only these kinds of faults, separated by commas: "+kindNames())
	flags.IntVar(&cfg.NATS, "nats", 1, "number of NATS servers: 1, or 3 as a cluster")
	flags.StringVar(&cfg.Bin, "bin", "", "folder of task-service and stats-service (default bin/drilled, bin with -clocks=false, and bin/seeded with -bug)")
	flags.StringVar(&cfg.Script, "servers", "services/internal/kit/testkit/servers.sh", "script that gets a database server if this machine has none")
	flags.StringVar(&cfg.Out, "out", c.Out, "folder for logs, ledger and schedule of a run that fails")
	flags.BoolVar(&cfg.Clocks, "clocks", c.Clocks, "let the clocks of replicas differ, by another amount after each start")
	flags.BoolVar(&cfg.Keep, "keep", false, "leave them there also when everything held")
	flags.IntVar(&cfg.Clients, "clients", c.Clients, "that write and read at the same time")
	flags.IntVar(&cfg.Streams, "streams", c.Streams, "live streams followed in each project")
	flags.DurationVar(&cfg.Pause, "pause", c.Pause, "of a client between two operations, on average")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if cfg.Bug != "" { // it may keep something from ever arriving
		cfg.Calm = cmp.Or(cfg.Calm, calmWithBug)
	}
	cfg.Engine = cluster.Engine(*engine)
	var err error
	if cfg.Kinds, err = parseKinds(*kinds); err != nil {
		return cfg, err
	}
	switch {
	case cfg.Engine != cluster.MySQL && cfg.Engine != cluster.Postgres:
		return cfg, fmt.Errorf("-engine must be mysql or postgres, not %q", *engine)
	case cfg.NATS != 1 && cfg.NATS != 3:
		return cfg, fmt.Errorf("-nats must be 1 or 3, not %d", cfg.NATS)
	case cfg.Clients < 1 || cfg.Streams < 0 || cfg.Duration <= 0 || cfg.Pause < 0:
		return cfg, fmt.Errorf("-clients and -duration must be positive, -streams and -pause not negative")
	}
	return cfg, nil
}

// drills reports whether a kind of fault may be in the schedule.
func (c Config) drills(k faults.Kind) bool { return len(c.Kinds) == 0 || slices.Contains(c.Kinds, k) }

func kindNames() string {
	var names []string
	for _, k := range faults.Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

func parseKinds(list string) (kinds []faults.Kind, err error) {
	for name := range strings.SplitSeq(list, ",") {
		kind := faults.Kind(strings.TrimSpace(name))
		switch {
		case kind == "":
		case !slices.Contains(faults.Kinds(), kind):
			return nil, fmt.Errorf("-kinds: there is no fault %q; there are %s", kind, kindNames())
		default:
			kinds = append(kinds, kind)
		}
	}
	return kinds, nil
}

// programs returns the services' programs by absolute path, and our own.
func (c Config) programs() (tasks, stats, self string, err error) {
	dir, err := filepath.Abs(c.bin())
	if err != nil {
		return "", "", "", fmt.Errorf("find the programs: %w", err)
	}
	tasks, stats = filepath.Join(dir, "task-service"), filepath.Join(dir, "stats-service")
	for _, path := range []string{tasks, stats} {
		if _, err := os.Stat(path); err != nil {
			return "", "", "", fmt.Errorf("%w; `make build bin/drilled bin/seeded` makes them all", err)
		}
		if err := c.hasBugs(path); err != nil {
			return "", "", "", err
		}
	}
	if self, err = os.Executable(); err != nil {
		return "", "", "", fmt.Errorf("find our own program: %w", err)
	}
	return tasks, stats, self, nil
}
