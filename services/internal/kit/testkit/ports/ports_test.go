package ports

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEachPortIsHandedOutOnceAndCanBeListenedOn(t *testing.T) {
	t.Parallel()
	const n = 50
	got := make([]int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			var err error
			if got[i], err = Free(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := map[int]bool{}
	for _, port := range got {
		if seen[port] || port < from || port > to {
			t.Errorf("port %d, after %v", port, seen)
		}
		seen[port] = true
		if take(port) { // as another process would try
			t.Errorf("port %d was handed out twice", port)
		}
		l, err := net.Listen("tcp", addr(port))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAPortSomebodyListensOnIsLeftAlone(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing came in
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	if take(port) {
		t.Errorf("port %d was handed out, on which somebody listens", port)
	}
}

func TestAddressesAreOnLoopback(t *testing.T) {
	t.Parallel()
	at, err := FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	if host, _, err := net.SplitHostPort(at); err != nil || host != "127.0.0.1" {
		t.Errorf("%s, %v", at, err)
	}
}
