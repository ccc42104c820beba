package jsbus

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// shortWait is for tests in which nobody is left to answer; enough for a server on this machine.
const shortWait = 200 * time.Millisecond

// ask gathers until the answers are those wanted.
func ask(t *testing.T, b *Bus, want ...string) {
	t.Helper()
	until(t, "answers", func() bool {
		answers, err := b.Gather(t.Context(), "ops.test", []byte("?"), shortWait)
		if err != nil {
			return false
		}
		var got []string
		for _, a := range answers {
			got = append(got, string(a))
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	})
}

func replies(t *testing.T, b *Bus, answer string) (stop func()) {
	t.Helper()
	stop, err := b.Reply("ops.test", func() ([]byte, error) {
		if answer == "" {
			return nil, errors.New("not now")
		}
		return []byte(answer), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return stop
}

func TestGatherHearsEveryReplierAndItself(t *testing.T) {
	t.Parallel()
	url := testkit.NATS(t)
	a, b, silent := connect(t, url, nil), connect(t, url, nil), connect(t, url, nil)
	ask(t, a) // nobody there: no error, no answers
	replies(t, a, "a")
	stop := replies(t, b, "b")
	replies(t, silent, "")
	ask(t, a, "a", "b")
	a.Notify("ops.test", nil) // names no inbox: nobody is confused
	stop()
	ask(t, a, "a")
}

func TestGatherWithoutNATS(t *testing.T) {
	t.Parallel()
	server := testkit.NATSServer(t)
	b := connect(t, server.URL(), nil)
	until(t, "connected", b.Connected)
	replies(t, b, "b")
	server.Stop()
	until(t, "disconnected", func() bool { return !b.Connected() })
	if answers, err := b.Gather(t.Context(), "ops.test", nil, patience); !errors.Is(err, ErrAway) || len(answers) > 0 {
		t.Errorf("got %q, %v", answers, err)
	}
	server.Start()
	until(t, "connected", b.Connected)
	ask(t, b, "b") // the subscription came back as well
}

func TestGatherHeedsItsContext(t *testing.T) {
	t.Parallel()
	b := connect(t, testkit.NATS(t), nil)
	until(t, "connected", b.Connected)
	replies(t, b, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Gather(ctx, "ops.test", nil, patience); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
