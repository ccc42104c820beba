// Package proxy is a network between two processes that can go wrong on command: it passes TCP connections on, delays,
// slows and holds what they carry, and breaks them in the ways networks do.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Conditions are what a link does to the bytes it carries. The zero value is a good network.
type Conditions struct {
	Delay time.Duration // one way, of every byte; order is kept
	Rate  int           // bytes a second in each direction of each connection; 0: unlimited
	Hold  bool          // nothing arrives, as if every packet were lost; when it ends, all arrives, as TCP sends again
}

// Side names an end of a link.
type Side int

// The ends of a link.
const (
	Client Side = iota // who connects
	Server             // whom the link leads to
)

// Stats count a link's connections.
type Stats struct {
	Open     int // now
	Most     int // at the same time
	Accepted int
	Refused  int // because the target could not be reached
}

// How a link moves bytes.
const (
	chunk       = 16 << 10        // bytes read at once
	queued      = 64              // chunks on their way in one direction of a connection
	dialTimeout = 5 * time.Second // to the target
	slices      = 20              // writes a second of a slowed connection
)

// Link passes connections to one target. Its methods are safe for concurrent use.
type Link struct {
	name     string
	target   string
	listener net.Listener
	done     sync.WaitGroup
	ctx      context.Context
	stop     context.CancelFunc

	mu      sync.Mutex
	now     Conditions
	changed chan struct{} // closed at the next change of now
	open    map[*pair]struct{}
	stats   Stats
}

// pair is a connection with its continuation.
type pair struct {
	ends [2]*net.TCPConn // by Side
	ctx  context.Context
	stop context.CancelFunc
}

// Listen opens a link on a free port of 127.0.0.1.
func Listen(name, target string) (*Link, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open link %s: %w", name, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &Link{name: name, target: target, listener: listener, ctx: ctx, stop: stop, changed: make(chan struct{}), open: map[*pair]struct{}{}}
	l.done.Go(l.accept)
	return l, nil
}

// Name returns what the link was called at Listen.
func (l *Link) Name() string { return l.name }

// Addr returns host:port where the link listens.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// Set puts the link under conditions, also for connections that are open.
func (l *Link) Set(c Conditions) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = c
	close(l.changed)
	l.changed = make(chan struct{})
}

// Cut breaks all open connections with a reset, at both ends.
func (l *Link) Cut() int {
	pairs := l.pairs()
	for _, p := range pairs {
		p.cut()
	}
	return len(pairs)
}

// HalfClose ends all open connections in one direction: the given side reads the end of the stream, while what it sends
// still arrives.
func (l *Link) HalfClose(s Side) int {
	pairs := l.pairs()
	for _, p := range pairs {
		_ = p.ends[s].CloseWrite() // one that is gone is closed in both directions
	}
	return len(pairs)
}

// Stats returns the counts so far.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Open = len(l.open)
	return s
}

// Close ends the link and its connections, and waits for them.
func (l *Link) Close() error {
	err := l.listener.Close()
	l.stop()
	l.Cut()
	l.done.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close link %s: %w", l.name, err)
	}
	return nil
}

func (l *Link) pairs() []*pair {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*pair, 0, len(l.open))
	for p := range l.open {
		out = append(out, p)
	}
	return out
}

func (l *Link) conditions() (Conditions, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now, l.changed
}

func (l *Link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return // closed
		}
		l.done.Go(func() { l.serve(conn.(*net.TCPConn)) }) //nolint:errcheck,forcetypeassert // the listener is TCP's
	}
}

// serve carries one connection until both directions have ended or it is cut.
func (l *Link) serve(client *net.TCPConn) {
	ctx, cancel := context.WithTimeout(l.ctx, dialTimeout)
	server, err := new(net.Dialer).DialContext(ctx, "tcp", l.target)
	cancel()
	if err != nil {
		reset(client)
		l.mu.Lock()
		l.stats.Refused++
		l.mu.Unlock()
		return
	}
	p := &pair{ends: [2]*net.TCPConn{Client: client, Server: server.(*net.TCPConn)}} //nolint:errcheck,forcetypeassert // dialled as TCP
	p.ctx, p.stop = context.WithCancel(l.ctx)
	l.mu.Lock()
	l.open[p] = struct{}{}
	l.stats.Accepted++
	l.stats.Most = max(l.stats.Most, len(l.open))
	l.mu.Unlock()

	var both sync.WaitGroup
	both.Go(func() { l.carry(p, Client, Server) })
	both.Go(func() { l.carry(p, Server, Client) })
	both.Wait()

	l.mu.Lock()
	delete(l.open, p)
	l.mu.Unlock()
	p.stop()
	for _, end := range p.ends {
		_ = end.Close() // cut connections are closed already
	}
}

// parcel is a chunk and when it is due at the other end.
type parcel struct {
	data []byte
	due  time.Time
}

// carry moves bytes in one direction until that one ends, and passes the end on.
func (l *Link) carry(p *pair, from, to Side) {
	parcels := make(chan parcel, queued)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(parcels)
		for {
			buf := make([]byte, chunk)
			n, err := p.ends[from].Read(buf)
			if n > 0 {
				now, _ := l.conditions()
				select {
				case parcels <- parcel{buf[:n], time.Now().Add(now.Delay)}:
				case <-p.ctx.Done():
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					p.cut()
				}
				return
			}
		}
	})
	for parcel := range parcels {
		if err := l.deliver(p, to, parcel); err != nil {
			p.cut()
			break
		}
	}
	_ = p.ends[to].CloseWrite() // the other direction may go on
	reader.Wait()
}

// deliver writes a parcel when it is due and the conditions let it through.
func (l *Link) deliver(p *pair, to Side, parcel parcel) error {
	if err := rest(p.ctx, time.Until(parcel.due)); err != nil {
		return err
	}
	for data := parcel.data; len(data) > 0; {
		now, changed := l.conditions()
		if now.Hold {
			select {
			case <-changed:
				continue
			case <-p.ctx.Done():
				return p.ctx.Err()
			}
		}
		n := len(data)
		if now.Rate > 0 {
			n = min(n, max(1, now.Rate/slices))
		}
		if _, err := p.ends[to].Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
		if now.Rate > 0 {
			if err := rest(p.ctx, time.Second*time.Duration(n)/time.Duration(now.Rate)); err != nil {
				return err
			}
		}
	}
	return nil
}

// cut resets both ends.
func (p *pair) cut() {
	p.stop()
	for _, end := range p.ends {
		reset(end)
	}
}

// reset closes a connection with RST instead of FIN.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // one that is gone needs none of it
	_ = c.Close()
}

func rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
