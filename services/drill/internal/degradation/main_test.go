package degradation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
)

// How long tests wait; only a test that fails uses them up, but for pause. What depends on how busy the machine is has
// minutes, or is counted instead of timed.
const (
	patience = 2 * time.Minute       // for anything that comes by itself
	pace     = 25 * time.Millisecond // between two looks
	deadline = 30 * time.Second      // HTTP_REQUEST_TIMEOUT, and as much again for the way: the latest an answer may come
	pause    = time.Second

	// atOnce is what clients call so while a part is away. Each answer must be right, and one of those that come within
	// patience as fast as that: who always waits for a timeout is found out, and a machine that was busy for a moment is not.
	atOnce = 3 * time.Second
)

// module is where the programs come from.
const module = "github.com/tallyboard/tallyboard/services/"

// programs are built once for all tests.
var programs struct {
	tasks, stats, self, script, root string
	nextTasks, nextStats             string           // of the release after this one
	nextSchema                       map[string]int64 // by service and engine: the version of that release's migrations
}

func TestMain(m *testing.M) {
	dir, err := build()
	code := 1
	if err == nil {
		code = m.Run()
		if leak := goleak.Find(); leak != nil {
			fmt.Fprintln(os.Stderr, leak)
			code = 1
		}
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// build makes the programs of this tree.
func build() (dir string, err error) {
	here, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the tree: %w", err)
	}
	programs.root = filepath.Join(here, "..", "..", "..", "..")
	programs.script = filepath.Join(programs.root, "services", "internal", "kit", "testkit", "servers.sh")
	if dir, err = cluster.NewFolder(); err != nil {
		return "", err
	}
	programs.tasks, programs.stats, programs.self = filepath.Join(dir, "task-service"), filepath.Join(dir, "stats-service"), filepath.Join(dir, "drill")
	const tasks, stats = module + "task-service/cmd/task-service", module + "stats-service/cmd/stats-service"
	if err := goBuild(dir, nil, tasks, stats, module+"drill/cmd/drill"); err != nil {
		return dir, err
	}
	next := filepath.Join(dir, "next")
	programs.nextTasks, programs.nextStats = filepath.Join(next, "task-service"), filepath.Join(next, "stats-service")
	flags, err := nextRelease(next)
	if err != nil {
		return dir, err
	}
	return dir, goBuild(next, flags, tasks, stats)
}

// goBuild puts programs into a folder.
func goBuild(dir string, flags []string, packages ...string) error {
	cmd := exec.CommandContext(context.Background(), "go", append(append([]string{"build", "-o", dir + string(filepath.Separator)}, flags...), packages...)...)
	cmd.Dir = programs.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// eachEngine runs a test on clusters of both engines at the same time.
func eachEngine(t *testing.T, test func(t *testing.T, e cluster.Engine)) {
	t.Helper()
	for _, e := range []cluster.Engine{cluster.MySQL, cluster.Postgres} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

// folder returns an empty one that a database server's user can get to; it is removed with the test.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := cluster.NewFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// rest waits for a time that another process counts, too, such as that of a certificate.
func rest(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

// until waits for what another process brings about. look may fail as often as it likes, so it leaves judging to its error.
func until(t *testing.T, what string, look func() error) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		err := look()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		}
		rest(t, pace)
	}
}
