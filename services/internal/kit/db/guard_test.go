package db

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestARefusalIsNotAskedForAgainAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &guard{}
		refused := fmt.Errorf("connect: %w", &mysql.MySQLError{Number: 1045})
		g.note(refused)
		if err := g.admit(); !errors.Is(err, refused) {
			t.Errorf("admitted just after a refusal: %v", err)
		}
		g.note(errors.New("a network that is away")) // is no refusal, and no admission
		if g.admit() == nil {
			t.Error("another failure ended the pause")
		}
		time.Sleep(guardPause)
		if err := g.admit(); err != nil {
			t.Errorf("never asks again: %v", err)
		}
		g.note(refused)
		g.note(nil)
		if err := g.admit(); err != nil {
			t.Errorf("let in, and still refused: %v", err)
		}
	})
}

func TestAReadOnlyServerIsLeftOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &guard{}
		time.Sleep(guardPause) // the fake clock begins long ago; so does a pool
		for i, want := range []int64{1, 1, 1} {
			if g.giveUp() != (i == 0) || g.generation.Load() != want {
				t.Errorf("attempt %d: generation %d", i, g.generation.Load())
			}
		}
		time.Sleep(guardPause)
		if !g.giveUp() || g.generation.Load() != 2 {
			t.Error("a server that stays read-only is left once only")
		}
	})
}

func TestReasonsNameNobody(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&mysql.MySQLError{Number: 1045, Message: "Access denied for user 'anna'@'10.0.0.7'"}, &mysql.MySQLError{Number: 1044, Message: "anna"},
		&mysql.MySQLError{Number: 1049, Message: "anna"}, &mysql.MySQLError{Number: 1290, Message: "anna"}, &mysql.MySQLError{Number: 3118, Message: "anna"},
		&mysql.MySQLError{Number: 1862, Message: "anna"}, &pgconn.PgError{Code: "28P01", Message: "anna"}, &pgconn.PgError{Code: "25006", Message: "anna"},
		&pgconn.PgError{Code: "3D000", Message: "anna"}, mysql.ErrNoTLS,
	} {
		switch reason := Reason(fmt.Errorf("reach the database: %w", err)); {
		case reason == "":
			t.Errorf("%v has no reason", err)
		case strings.Contains(reason, "anna") || strings.Contains(reason, "10.0.0.7"):
			t.Errorf("%v: %q", err, reason)
		}
		if !IsUnavailable(err) {
			t.Errorf("%v would not be waited for", err)
		}
	}
	if reason := Reason(errors.New("other")); reason != "" || Reason(nil) != "" {
		t.Errorf("a reason out of nothing: %q", reason)
	}
}
