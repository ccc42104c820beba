package consumer

import (
	"context"
	"fmt"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// pageFactor is how many times Config.BatchSize a transaction applies while the cursor is far behind: what a transaction
// costs whatever its size, two syncs of the database's disk above all, is then shared by as many more events.
const pageFactor = 4

// page is a piece of the history.
type page struct {
	events []stats.Event
	err    error
}

// read begins to read the events behind a position and up to head; the channel gives them when they are there.
func (a *applier) read(ctx context.Context, after, head int64) <-chan page {
	out := make(chan page, 1)
	go func() {
		events, err := a.store.Events(ctx, after, head, pageFactor*a.cfg.BatchSize)
		out <- page{events, err}
	}()
	return out
}

// applyUntil applies the events of the database up to head. While a page is applied, the next one is read: two
// connections are in use, and the reading, which the writing does not depend on, costs no time of its own.
func (a *applier) applyUntil(ctx context.Context, head int64) error {
	ctx, cancel := context.WithCancel(ctx)
	next := a.read(ctx, a.cursor, head)
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
		if last < head {
			next = a.read(ctx, last, head)
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
			next = a.read(ctx, a.cursor, head)
		}
	}
	return nil
}
