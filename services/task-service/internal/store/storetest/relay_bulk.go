package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// relayDuringImports gives positions as fast as it can while transactions with thousands of events commit. A relay that
// locks what it reads, and skips what is locked, meets such a transaction while the engine releases its locks one by one:
// it then takes the tail before the head.
func relayDuringImports(f *fixture) {
	t := f.t
	const importers, batches, size = 2, 5, 1000
	var writing sync.WaitGroup
	for w := range importers {
		writing.Go(func() {
			for b := range batches {
				batch := make([]task.Imported, size)
				for i := range batch {
					batch[i] = f.imported(t, fmt.Sprint(w, "-", b, "-", i))
				}
				if _, err := f.ImportTasks(f.ctx, f.write(), f.p.Key, batch); err != nil {
					t.Errorf("import: %v", err)
				}
			}
		})
	}
	var over atomic.Bool
	var relay sync.WaitGroup
	relay.Go(func() {
		for {
			last := over.Load()
			n, _, err := f.Assign(f.ctx, 0, 1, 1000)
			if err != nil {
				t.Errorf("assign: %v", err)
				return
			}
			if last && n == 0 {
				return
			}
		}
	})
	writing.Wait()
	over.Store(true)
	relay.Wait()
	inOrder(t, f.eventsIn(t, 5000))
}
