package bugs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/seeded"
)

// services are the programs that have places for bugs, by import path.
var services = []string{
	"github.com/tallyboard/tallyboard/services/task-service/cmd/task-service",
	"github.com/tallyboard/tallyboard/services/stats-service/cmd/stats-service",
}

// TestNotInNormalPrograms builds the services as a release does and looks for the bugs in them. Programs built with the
// tag have their names, so the search finds them where they are; and refuse a name that none of them has.
func TestNotInNormalPrograms(t *testing.T) {
	t.Parallel()
	if seeded.Enabled || seeded.Is(seeded.SkipVersionCheck) {
		t.Fatal("bugs are enabled without being asked for")
	}
	for _, service := range services {
		t.Run(filepath.Base(service), func(t *testing.T) {
			t.Parallel()
			normal, broken := build(t, service), build(t, service, "-tags", "seededbugs")
			for program, want := range map[string]bool{normal: false, broken: true} {
				b, err := os.ReadFile(program)
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range append(seeded.Bugs(), seeded.Variable) {
					if bytes.Contains(b, []byte(name)) != want {
						t.Errorf("%s: contains %q: %v", program, name, !want)
					}
				}
			}
			for value, works := range map[string]bool{"": true, string(seeded.RowIDCursor): true, "row-id": false} {
				if out, err := start(t, broken, value); (err == nil) != works {
					t.Errorf("%s=%q: %v\n%s", seeded.Variable, value, err, out)
				}
			}
			if out, err := start(t, normal, "row-id"); err != nil {
				t.Errorf("a normal program looks at %s: %v\n%s", seeded.Variable, err, out)
			}
		})
	}
}

func start(t *testing.T, program, bug string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "help")
	cmd.Env = append(os.Environ(), seeded.Variable+"="+bug)
	return cmd.CombinedOutput()
}

// build builds a service of the workspace.
func build(t *testing.T, service string, flags ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), filepath.Base(service))
	args := append([]string{"build", "-buildvcs=false", "-o", path}, flags...)
	cmd := exec.CommandContext(t.Context(), "go", append(args, service)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", service, err, out)
	}
	return path
}
