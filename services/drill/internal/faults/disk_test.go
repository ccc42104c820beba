package faults

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
)

// TestServersAreMended has a program that only sleeps stand for a server.
func TestServersAreMended(t *testing.T) {
	t.Parallel()
	fine := func(context.Context) error { return nil }
	for name, c := range map[string]struct {
		dies   bool // while its disk is full
		works  int  // takes writes from this start on
		want   string
		starts int
	}{
		"one that goes on":           {false, 1, "by itself", 1},
		"one that must be restarted": {false, 2, "restarted", 2},
		"one that ended":             {true, 2, "ended, started", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := proc.New(proc.Spec{Name: "server", Path: "sleep", Args: []string{"60"}, Logs: t.TempDir()})
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := p.Kill(); err != nil {
					t.Error(err)
				}
			})
			if c.dies {
				if err := p.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			detail, err := mend(t.Context(), p, func(context.Context) error {
				if p.Starts() < c.works {
					return errors.New("no space left on device")
				}
				return nil
			}, fine)
			if err != nil || !strings.Contains(detail, c.want) || p.Starts() != c.starts {
				t.Errorf("%q after %d starts, %v", detail, p.Starts(), err)
			}
		})
	}
}

func TestAServerThatCannotBeMendedIsSaid(t *testing.T) {
	t.Parallel()
	p := proc.New(proc.Spec{Name: "server", Path: "sleep", Args: []string{"60"}, Logs: t.TempDir()})
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	never := func(context.Context) error { return errors.New("no space left on device") }
	ctx, cancel := context.WithTimeout(t.Context(), ownWay+time.Second)
	defer cancel()
	if _, err := mend(ctx, p, never, func(context.Context) error { return nil }); err == nil {
		t.Error("mended")
	}
}
