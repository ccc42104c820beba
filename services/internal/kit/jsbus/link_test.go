package jsbus

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// link is a TCP proxy whose traffic can be stalled, as a network does that drops packets without a word.
type link struct {
	url    string
	target string
	mu     sync.Mutex
	cond   *sync.Cond
	hold   bool
	closed bool
	conns  map[net.Conn]bool
}

func newLink(t *testing.T, target string) *link {
	t.Helper()
	l := &link{target: strings.TrimPrefix(target, "nats://"), conns: map[net.Conn]bool{}}
	l.cond = sync.NewCond(&l.mu)
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.url = "nats://" + listener.Addr().String()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			var d net.Dialer
			server, err := d.DialContext(t.Context(), "tcp", l.target)
			if err != nil {
				client.Close() //nolint:errcheck // the test's end closes everything
				continue
			}
			if !l.track(client, server) {
				return
			}
			running.Go(func() { l.pipe(client, server) })
			running.Go(func() { l.pipe(server, client) })
		}
	})
	t.Cleanup(func() {
		listener.Close() //nolint:errcheck // nothing is left to lose
		l.mu.Lock()
		l.closed = true
		for c := range l.conns {
			c.Close() //nolint:errcheck // likewise
		}
		l.mu.Unlock()
		l.cond.Broadcast()
		running.Wait()
	})
	return l
}

func (l *link) track(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		if l.closed {
			c.Close() //nolint:errcheck // the test has ended
			continue
		}
		l.conns[c] = true
	}
	return !l.closed
}

func (l *link) stall(on bool) {
	l.mu.Lock()
	l.hold = on
	l.mu.Unlock()
	l.cond.Broadcast()
}

func (l *link) pipe(to, from net.Conn) {
	defer to.Close()   //nolint:errcheck // the other side sees the end either way
	defer from.Close() //nolint:errcheck // likewise
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		l.mu.Lock()
		for l.hold && !l.closed {
			l.cond.Wait()
		}
		l.mu.Unlock()
		if _, writeErr := to.Write(buf[:n]); writeErr != nil || err != nil {
			return
		}
	}
}
