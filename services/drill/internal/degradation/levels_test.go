package degradation

import (
	"fmt"
	"testing"

	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
)

// What a replica may hold at rest beyond what it held before: idle connections of pools and of HTTP.
const (
	moreGoroutines = 40
	moreFiles      = 24
)

// levels measures what each replica occupies.
func (r *rig) levels(t *testing.T) (levels []drill.Level) {
	t.Helper()
	for _, s := range r.Services() {
		var l drill.Level
		until(t, s.Name()+" is measured", func() (err error) {
			l, err = drill.Measure(t.Context(), s)
			return err
		})
		levels = append(levels, l)
	}
	return levels
}

// noLeak waits until every replica holds no more than before, and demands that pools kept to their bounds.
func (r *rig) noLeak(t *testing.T, before []drill.Level) {
	t.Helper()
	for i, s := range r.Services() {
		until(t, s.Name()+" lets go of what it needed", func() error {
			now, err := drill.Measure(t.Context(), s)
			if err != nil {
				return err
			}
			if now.Goroutines-before[i].Goroutines > moreGoroutines || now.Files-before[i].Files > moreFiles {
				return fmt.Errorf("%+v, before: %+v", now, before[i])
			}
			return nil
		})
		var report struct {
			Pools map[string]struct{ Max, Open int }
		}
		a := r.ask(t, request{at: s.Addr, path: "/pool-stats"})
		if err := decode(a.body, &report); err != nil || len(report.Pools) == 0 {
			t.Errorf("pools of %s: %s", s.Name(), a)
		}
		most := 0
		for name, pool := range report.Pools {
			if most += pool.Max; pool.Open > pool.Max {
				t.Errorf("pool %s of %s has %d connections, %d at most", name, s.Name(), pool.Open, pool.Max)
			}
		}
		// Connections that the server or the network has not given up yet still count at the proxy, so twice is the bound.
		for _, l := range r.Links {
			if l.Name() == s.Name()+"→database" && l.Stats().Most > 2*most {
				t.Errorf("%s had %d connections at once, its pools %d at most", l.Name(), l.Stats().Most, most)
			}
		}
	}
}
