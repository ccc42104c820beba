package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
)

func TestAPulseIsMissedAfterTwoSecondsWithoutAnyAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &Pulse{}
		beats := func(want bool, what string) {
			t.Helper()
			if p.Beats() != want {
				t.Errorf("%s: %v", what, !want)
			}
		}
		time.Sleep(time.Hour)
		beats(true, "nobody asks anything")
		p.begin()
		time.Sleep(silence)
		beats(true, "two seconds are not too long")
		p.begin()
		time.Sleep(time.Millisecond)
		beats(false, "nothing was answered")
		p.end(nil)
		beats(true, "something was answered")
		time.Sleep(silence + time.Millisecond)
		beats(false, "the other one waits alone")
		p.end(fmt.Errorf("statement: %w", context.DeadlineExceeded))
		beats(true, "somebody has to try")
		p.begin()
		beats(false, "but no more than one")
		p.end(&mysql.MySQLError{Number: 1064})
		p.begin()
		beats(true, "an error is an answer")
		p.end(os.ErrDeadlineExceeded)
		time.Sleep(time.Hour)
		p.begin()
		beats(false, "the last thing known is a silence")
		p.end(mysql.ErrInvalidConn)
		p.begin()
		beats(true, "a broken connection is an answer, too")
	})
}

func TestAWaitForALockIsNoSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &Pulse{}
		p.begin()
		for range 10 { // while pollers are answered
			time.Sleep(time.Second)
			p.begin()
			p.end(nil)
			if !p.Beats() {
				t.Fatal("taken for silence")
			}
		}
		p.end(nil)
	})
}

func TestWithoutAPulseAllIsWell(t *testing.T) {
	t.Parallel()
	var p *Pulse
	p.begin()
	p.end(nil)
	if !p.Beats() {
		t.Error("a nil pulse does not beat")
	}
}

func TestPoolsFeelThePulse(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		p := &Pulse{}
		h := open(t, Config{URL: url}, Options{Pulse: p})
		p.mu.Lock()
		p.unanswered = true
		p.mu.Unlock()
		h.must(t, "CREATE TABLE n (v INT)")
		for range 3 {
			err := h.tx(t.Context(), func(exec func(string) error) error { return exec("INSERT INTO n VALUES (1)") })
			if err != nil {
				t.Error(err)
			}
			if h.exec(t.Context(), "SELECT nothing") == nil {
				t.Error("no error")
			}
			if got := h.text(t, "SELECT COUNT(*) FROM n"); got == "0" {
				t.Error(got)
			}
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.running != 0 || p.unanswered || p.since.IsZero() {
			t.Errorf("%d statements never ended; unanswered %v, last answer %s", p.running, p.unanswered, p.since)
		}
	})
}

// silentConn never answers a ping.
type silentConn struct {
	mysqlDriverConn

	felt  *Pulse
	beats bool // while the ping waits
}

func (c *silentConn) Ping(ctx context.Context) error {
	<-ctx.Done()
	c.beats = c.felt.Beats()
	return ctx.Err()
}

func TestAPingIsFelt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &Pulse{}
		conn := &silentConn{felt: p, beats: true}
		ctx, cancel := context.WithTimeout(t.Context(), silence+time.Millisecond)
		defer cancel()
		var guarded driver.Pinger = &guardedConn{mysqlDriverConn: conn, guard: &guard{pulse: p}}
		if err := guarded.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if conn.beats || p.running != 0 || !p.unanswered {
			t.Errorf("it beats while nothing is answered: %v; afterwards %d statements, unanswered %v", conn.beats, p.running, p.unanswered)
		}
	})
}

func TestAConnectionThatTheServerMayEndIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &guardedConn{guard: &guard{idle: 2 * time.Second}, returned: time.Now()}
		time.Sleep(2*time.Second + time.Millisecond)
		if err := c.ResetSession(t.Context()); !errors.Is(err, driver.ErrBadConn) {
			t.Error(err)
		}
	})
}

// A transaction whose instance has stopped, or cannot reach the server, looks like this one: nothing more is heard of it.
func TestATransactionThatFallsSilentLetsGo(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		silent := open(t, Config{URL: url, TransactionIdle: 2 * time.Second}, Options{})
		other := open(t, Config{URL: url, LockTimeout: patience}, Options{})
		silent.must(t, "CREATE TABLE n (id INT PRIMARY KEY, v INT)", "INSERT INTO n VALUES (1, 0)")
		err := silent.tx(t.Context(), func(exec func(string) error) error {
			if err := exec("UPDATE n SET v = 1 WHERE id = 1"); err != nil {
				return err
			}
			if err := other.exec(t.Context(), "UPDATE n SET v = v + 10 WHERE id = 1"); err != nil { // waits for the lock
				t.Errorf("the lock was never given up: %v", err)
			}
			return exec("UPDATE n SET v = 2 WHERE id = 1")
		})
		if !IsUnavailable(err) {
			t.Errorf("the transaction went on: %v", err)
		}
		if got := other.text(t, "SELECT v FROM n"); got != "10" {
			t.Errorf("v is %s: half of the transaction is there", got)
		}
	})
}
