//go:build unix

package caller

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; it is only used up by a test that fails.
const patience = 30 * time.Second

// connect returns both ends of a connection.
func connect(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // has done its work
	if client, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Close() // some tests have closed it
		_ = server.Close()
	})
	return client, server
}

// absent waits until ctx's caller is gone.
func absent(t *testing.T, ctx context.Context) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); Present(ctx) == nil; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("never noticed")
		}
	}
	if err := Present(ctx); !apperr.Is(err, apperr.Canceled) {
		t.Error(err)
	}
}

func TestACallerThatClosesIsGone(t *testing.T) {
	t.Parallel()
	client, server := connect(t)
	ctx := Watch(t.Context(), server)
	if err := server.SetReadDeadline(time.Unix(1, 0)); err != nil { // servers set such; it says nothing about the caller
		t.Fatal(err)
	}
	if err := Present(ctx); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	absent(t, ctx)
}

func TestACallerThatClosesItsHalfCountsAsGone(t *testing.T) {
	t.Parallel()
	client, server := connect(t)
	if err := client.(*net.TCPConn).CloseWrite(); err != nil { //nolint:errcheck,forcetypeassert // it was dialed by TCP
		t.Fatal(err)
	}
	absent(t, Watch(t.Context(), server))
}

func TestWhatACallerSendsNextIsLeftThere(t *testing.T) {
	t.Parallel()
	client, server := connect(t)
	if _, err := io.WriteString(client, "next"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	for range 3 {
		if err := Present(Watch(t.Context(), server)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.ReadFull(server, got); err != nil || string(got) != "next" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAConnectionThatIsClosedHereHasNoCaller(t *testing.T) {
	t.Parallel()
	_, server := connect(t)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	absent(t, Watch(t.Context(), server))
}

func TestWhatCannotBeKnownIsTakenForPresent(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	defer a.Close() //nolint:errcheck // in memory
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, ctx := range []context.Context{nil, t.Context(), Watch(t.Context(), a)} {
		if err := Present(ctx); err != nil {
			t.Error(err)
		}
	}
}
