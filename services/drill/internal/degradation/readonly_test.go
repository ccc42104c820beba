package degradation

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
)

var (
	errStillWritable = errors.New("the server still takes changes")
	errNoneMade      = errors.New("no connection was made anew")
)

// readOnly: the server takes no changes, as the former writer after a fail-over to a replica. Reads work, writes say
// clearly that they do not, connections to that server are given up without hammering it, and all heals by itself.
func readOnly(t *testing.T, r *rig) {
	t.Helper()
	r.must(t, 3)
	r.settle(t)
	r.setReadOnly(t, true)
	defer r.setReadOnly(t, false) // also when the test ends early, and before its context does
	until(t, "writes are refused", func() error {
		if a := r.create(t, r.title()); a.ok() {
			return errStillWritable
		}
		return nil
	})
	accepted, began := r.accepted(), time.Now()
	refused := r.title()
	for range 20 {
		r.refuses(t, creation(refused), "") // by the edge, if it has given up asking
		r.mustRead(t)
	}
	for _, s := range r.Tasks {
		direct := creation(refused)
		direct.at = s.Addr
		r.refuses(t, direct, "read-only")
	}
	if a := r.ask(t, request{path: "/api/v1/stats/projects/" + projectKey + "/summary"}); !a.ok() {
		t.Errorf("statistics cannot be read: %s", a)
	}
	// Whoever was connected as the server turned read-only leaves it, and comes back once a second at most.
	until(t, "connections to the server are given up", func() error {
		r.refuses(t, creation(refused), "")
		if r.accepted() == accepted {
			return errNoneMade
		}
		return nil
	})
	r.mustRead(t)
	more, seconds := r.accepted()-accepted, int(time.Since(began)/time.Second)+1
	if most := seconds * poolsTogether; more > most {
		t.Errorf("%d connections were made within %d s, want %d at most", more, seconds, most)
	}
	r.alive(t)
	r.setReadOnly(t, false)
	r.again(t, refused)
}

// poolsTogether is how many connections the pools of task-service's replicas hold together: for requests and the rest.
const poolsTogether = cluster.Replicas * (5 + 4)

// accepted counts the connections that task-service's replicas have made to the database.
func (r *rig) accepted() (n int) {
	for _, l := range r.Links {
		if strings.HasPrefix(l.Name(), "task-") && strings.HasSuffix(l.Name(), "→database") {
			n += l.Stats().Accepted
		}
	}
	return n
}

func (r *rig) setReadOnly(t *testing.T, on bool) {
	t.Helper()
	statements := map[bool][]string{true: {"SET GLOBAL super_read_only = 1"}, false: {"SET GLOBAL super_read_only = 0", "SET GLOBAL read_only = 0"}}[on]
	if r.engine == cluster.Postgres {
		statements = []string{map[bool]string{true: "ALTER SYSTEM SET default_transaction_read_only = on", false: "ALTER SYSTEM RESET default_transaction_read_only"}[on], "SELECT pg_reload_conf()"}
	}
	for _, statement := range statements {
		if _, err := r.db.ExecContext(t.Context(), statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
