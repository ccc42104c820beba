package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds the wait for what comes by itself; only a test that fails uses it up.
const patience = time.Minute

// echo serves connections that send back what they get, and end when their reader does.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close() //nolint:errcheck // the test looks at the other end
				io.Copy(c, c)   //nolint:errcheck // ends as the test ends it
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended }) //nolint:errcheck // nothing to do about it
	return l.Addr().String()
}

func setup(t *testing.T) (*Link, *net.TCPConn) {
	t.Helper()
	link, err := Listen("test", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	return link, dial(t, link)
}

func dial(t *testing.T, link *Link) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", link.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() }) //nolint:errcheck // some tests close it before
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn) //nolint:errcheck // dialled as TCP
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c net.Conn, want string) {
	t.Helper()
	buf := make([]byte, len(want))
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != want {
		t.Fatalf("got %q, %v; want %q", buf, err, want)
	}
}

func TestPassesOn(t *testing.T) {
	t.Parallel()
	link, c := setup(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	go c.Write(big) //nolint:errcheck // the reader finds out
	got := make([]byte, len(big))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, big) {
		t.Fatalf("what came back differs: %v", err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(got); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %d bytes, %v", n, err)
	}
	if s := link.Stats(); s.Accepted != 1 || s.Most != 1 {
		t.Errorf("%+v", s)
	}
}

func TestDelayKeepsOrder(t *testing.T) {
	t.Parallel()
	link, c := setup(t)
	const delay = 60 * time.Millisecond
	link.Set(Conditions{Delay: delay})
	began := time.Now()
	say(t, c, "one")
	say(t, c, "two")
	hear(t, c, "onetwo")
	if took := time.Since(began); took < 2*delay {
		t.Errorf("there and back took %s, less than twice %s", took, delay)
	}
}

func TestRateSlows(t *testing.T) {
	t.Parallel()
	link, c := setup(t)
	link.Set(Conditions{Rate: 10_000})
	began := time.Now()
	text := string(bytes.Repeat([]byte("x"), 2000))
	say(t, c, text)
	hear(t, c, text)
	if took := time.Since(began); took < 100*time.Millisecond { // the last slice waits for nobody
		t.Errorf("2,000 bytes at 10,000 a second took %s", took)
	}
}

func TestHoldLetsThroughLater(t *testing.T) {
	t.Parallel()
	link, c := setup(t)
	link.Set(Conditions{Hold: true})
	say(t, c, "held")
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatalf("%d bytes came through, %v", n, err)
	}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	link.Set(Conditions{})
	hear(t, c, "held")
}

func TestCutResets(t *testing.T) {
	t.Parallel()
	link, c := setup(t)
	say(t, c, "a")
	hear(t, c, "a")
	if n := link.Cut(); n != 1 {
		t.Fatalf("%d connections cut", n)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	again := dial(t, link)
	say(t, again, "b")
	hear(t, again, "b")
}

func TestHalfClose(t *testing.T) {
	t.Parallel()
	for name, side := range map[string]Side{"towards the client": Client, "towards the server": Server} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			link, c := setup(t)
			say(t, c, "a")
			hear(t, c, "a")
			link.HalfClose(side)
			if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) { // at once, or because the server ends with its reader
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
}

func TestTargetAway(t *testing.T) {
	t.Parallel()
	nobody, err := ports.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	link, err := Listen("test", nobody)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", link.Addr()); err == nil { // it may be reset before Dial has noticed that it stands
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a connection to nobody stays open")
		}
		c.Close() //nolint:errcheck // it is broken
	}
	for end := time.Now().Add(patience); link.Stats().Refused == 0 && time.Now().Before(end); {
		<-time.After(time.Millisecond)
	}
	if err := link.Close(); err != nil {
		t.Error(err)
	}
	if s := link.Stats(); s.Refused != 1 || s.Open != 0 {
		t.Errorf("%+v", s)
	}
}
