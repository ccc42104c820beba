package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
)

// ownWay is how long a server may take to work again by itself once its disk has room. MySQL looks only once a minute
// whether it can write to its binary log again; whoever made the room starts it anew instead of waiting.
const ownWay = 2 * time.Second

// fullDisk leaves no room on a server's disk for a while. What an operator does then is part of the mending: a server that
// has ended is started, one that does not work again by itself is started anew. detail says which of it was needed.
func (i *Injector) fullDisk(ctx context.Context, f Fault) (detail string, err error) {
	c := i.Cluster
	if err := c.FillDisk(ctx, f.Target); err != nil {
		return "", err
	}
	err = rest(ctx, f.For)
	if err := errors.Join(err, c.FreeDisk(context.WithoutCancel(ctx), f.Target)); err != nil {
		return "", err
	}
	p, works, ready := c.DB.Process, c.DB.Writes, c.DB.Ready
	for _, n := range c.NATS {
		if n.Name() == f.Target {
			p, works, ready = n.Process, n.Writes, n.Ready
		}
	}
	return mend(ctx, p, works, ready)
}

// mend gets a server to work again: works says whether it takes writes, ready waits for one that was started.
func mend(ctx context.Context, p *proc.Process, works, ready func(context.Context) error) (detail string, err error) {
	alone, cancel := context.WithTimeout(ctx, ownWay)
	defer cancel()
	ended := p.PID() == 0
	switch {
	case ended:
		detail = "ended, started"
	case p.Await(alone, works) == nil:
		return "went on by itself", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case p.PID() == 0:
		detail = "ended, started"
	default:
		detail = "did not go on within " + ownWay.String() + ", restarted"
		if err := p.Kill(); err != nil {
			return detail, err
		}
	}
	if err := p.Start(); err != nil {
		return detail, err
	}
	if err := ready(ctx); err != nil {
		return detail, err
	}
	if err := p.Await(ctx, works); err != nil {
		return detail, fmt.Errorf("%s has room on its disk, was restarted and takes no writes: %w", p.Name(), err)
	}
	return detail, nil
}
