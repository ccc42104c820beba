package consumer

import (
	"context"
	"fmt"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// While the cursor is far behind, a transaction applies more than Config.BatchSize events: what it costs whatever its size,
// two syncs of the database's disk above all, is then shared by more of them.
const (
	pageGrowth = 4       // at most so many times Config.BatchSize
	pageBytes  = 4 << 20 // what a page should have at most: two of them are in memory, and descriptions may be long
)

// page is a piece of the history.
type page struct {
	events []stats.Event
	err    error
}

// read begins to read up to size events behind a position and up to head; the channel gives them when they are there.
func (a *applier) read(ctx context.Context, after, head int64, size int) <-chan page {
	out := make(chan page, 1)
	go func() {
		events, err := a.store.Events(ctx, after, head, size)
		out <- page{events, err}
	}()
	return out
}

// pageSize returns how many events the page after one of size events should have: twice as many, up to pageGrowth times
// batch, or as many of the same kind as have pageBytes.
func pageSize(size, batch int, events []stats.Event) int {
	bytes := 1
	for i := range events {
		for _, c := range events[i].Changes {
			bytes += len(c.Before) + len(c.After)
		}
	}
	return max(1, min(2*size, pageGrowth*batch, len(events)*pageBytes/bytes))
}

// applyUntil applies the events of the database up to head. While a page is applied, the next one is read: two
// connections are in use, and the reading, which the writing does not depend on, costs no time of its own.
func (a *applier) applyUntil(ctx context.Context, head int64) error {
	ctx, cancel := context.WithCancel(ctx)
	size := a.cfg.BatchSize
	next := a.read(ctx, a.cursor, head, size)
	defer func() {
		cancel()
		if next != nil {
			<-next // no goroutine outlives the office
		}
	}()
	for a.cursor < head {
		p := <-next
		next = nil
		if p.err != nil {
			return p.err
		}
		if len(p.events) == 0 {
			return fmt.Errorf("the database has no event at position %d, though its last is %d", a.cursor+1, head)
		}
		last := p.events[len(p.events)-1].Pos
		size = pageSize(size, a.cfg.BatchSize, p.events)
		if last < head {
			next = a.read(ctx, last, head, size)
		}
		a.setSource(SourceDatabase)
		traced, end := a.span(ctx, p.events)
		err := a.apply(traced, p.events)
		if err != nil {
			markFailure(traced, err)
		}
		end()
		if err != nil {
			return err
		}
		if a.cursor != last && a.cursor < head { // a rebuild has put another cursor in place
			if next != nil {
				<-next
			}
			next = a.read(ctx, a.cursor, head, size)
		}
	}
	return nil
}
