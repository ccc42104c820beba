package boot

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("os/signal.loop"))
}

type nested struct {
	Wait time.Duration `env:"WAIT" envDefault:"5s"`
}

type config struct {
	Port   int      `env:"PORT" envDefault:"8080"`
	URL    string   `env:"DATABASE_URL,required" secret:"true"`
	Token  string   `env:"TOKEN" secret:"true"`
	NATS   string   `env:"NATS_URL"`
	Debug  bool     `env:"DEBUG"`
	Peers  []string `env:"PEERS" envSeparator:","`
	Nested nested   `envPrefix:"NESTED_"`
	Hidden string   `env:"-"`
	Digits int      `env:"PIN" secret:"true"`
}

func (c config) Validate() error {
	if c.Port > 65535 {
		return errors.New("PORT must be at most 65535")
	}
	return nil
}

func TestLoadConfig(t *testing.T) {
	t.Parallel()
	cfg, err := LoadConfig[config]([]string{"DATABASE_URL=mysql://h/x", "NESTED_WAIT=2m", "PEERS=a,b", "DEBUG=true"})
	if err != nil || cfg.Port != 8080 || cfg.Nested.Wait != 2*time.Minute || len(cfg.Peers) != 2 || !cfg.Debug {
		t.Errorf("%+v, %v", cfg, err)
	}
}

func TestLoadConfigNamesEveryVariableAtFault(t *testing.T) {
	t.Parallel()
	_, err := LoadConfig[config]([]string{"PORT=http", "NESTED_WAIT=soon", "PIN=hunter2", "DEBUG=perhaps"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"DATABASE_URL must be set", "PORT must be a whole number", "NESTED_WAIT must be a duration such as 1.5s or 2m",
		"PIN is not valid", "DEBUG must be true or false",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret is shown:\n%v", err)
	}
	if _, err := LoadConfig[config]([]string{"DATABASE_URL=x", "PORT=99999"}); err == nil || err.Error() != "configuration: PORT must be at most 65535" {
		t.Errorf("got %v", err)
	}
	if _, err := LoadConfig[config](nil); err == nil || err.Error() != "configuration: DATABASE_URL must be set" {
		t.Errorf("got %v", err)
	}
}

func TestMaskedShowsNoSecret(t *testing.T) {
	t.Parallel()
	cfg := config{
		Port: 1, URL: "mysql://app:hunter2@db:3306/x?password=hunter2", Token: "hunter2", Hidden: "hunter2",
		NATS: "nats://u:hunter2@a:4222,nats://b:4222",
	}
	got := map[string]string{}
	for _, attr := range Masked(&cfg) {
		got[attr.Key] = attr.Value.String()
	}
	for key, want := range map[string]string{
		"PORT": "1", "DATABASE_URL": "mysql://app:***@db:3306/x?***", "TOKEN": "***", "NATS_URL": "nats://u:***@a:4222,nats://b:4222",
		"NESTED_WAIT": "0s", "PIN": "***", "DEBUG": "false",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	for key, value := range got {
		if strings.Contains(value, "hunter2") {
			t.Errorf("%s shows its secret: %s", key, value)
		}
	}
	for _, attr := range Masked(config{URL: "mysql://app:hunt%er2@db/x"}) {
		if strings.Contains(attr.Value.String(), "hunt") {
			t.Errorf("%s shows its secret: %s", attr.Key, attr.Value)
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	list := Variables(config{})
	want := []Variable{
		{Name: "PORT", Default: "8080"}, {Name: "DATABASE_URL", Required: true, Secret: true}, {Name: "TOKEN", Secret: true}, {Name: "NATS_URL"},
		{Name: "DEBUG"}, {Name: "PEERS"}, {Name: "NESTED_WAIT", Default: "5s"}, {Name: "PIN", Secret: true},
	}
	if len(list) != len(want) {
		t.Fatalf("got %+v", list)
	}
	for i, v := range list {
		if v != want[i] {
			t.Errorf("got %+v, want %+v", v, want[i])
		}
	}
}

func TestCloserEndsTheLastFirstAndEachOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := Closer{Log: slog.New(slog.DiscardHandler)}
		var mu sync.Mutex // a part that took too long may still be at work
		var order []string
		add := func(name string, fn func(context.Context) error) {
			c.Add(name, time.Second, func(ctx context.Context) error {
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				return fn(ctx)
			})
		}
		boom := errors.New("boom")
		fine := func(context.Context) error { return nil }
		add("telemetry", fine)
		add("pools", func(context.Context) error { return boom })
		add("relay", func(context.Context) error { panic("lost") })
		add("fiber", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		add("streams", fine)
		start := time.Now()
		err := c.Close(t.Context())
		if got := strings.Join(order, " "); got != "streams fiber relay pools telemetry" {
			t.Errorf("order %s", got)
		}
		if !errors.Is(err, boom) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stop relay: panic: lost") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %s", took)
		}
		if err := c.Close(t.Context()); err != nil || len(order) != 5 {
			t.Errorf("second close: %v, %v", err, order)
		}
	})
}

func TestCloserGoesOnWithoutAPartThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := Closer{Log: slog.New(slog.DiscardHandler)}
		release, last := make(chan struct{}), make(chan struct{}, 1)
		c.Add("last", time.Second, func(context.Context) error { last <- struct{}{}; return nil })
		c.Add("hangs", time.Second, func(context.Context) error { <-release; return nil })
		if err := c.Close(t.Context()); !errors.Is(err, context.DeadlineExceeded) || len(last) != 1 {
			t.Errorf("got %v, last %d", err, len(last))
		}
		close(release)
	})
}

func TestListenExplainsItself(t *testing.T) {
	t.Parallel()
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the test is over
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Listen(t.Context(), l.Addr().String())
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.HasPrefix(err.Error(), "port "+port+" is in use by another program") {
		t.Errorf("got %v", err)
	}
	if _, err := Listen(t.Context(), "8080"); err == nil || !strings.Contains(err.Error(), "host:port") {
		t.Errorf("got %v", err)
	}
	if _, err := Listen(t.Context(), "192.0.2.1:0"); err == nil || !strings.Contains(err.Error(), "no address 192.0.2.1") {
		t.Errorf("got %v", err)
	}
}

// It is not parallel: the signal is the process's.
//
//nolint:paralleltest // see above
func TestSignalContextEndsAtASignal(t *testing.T) {
	ctx, stop := SignalContext()
	defer stop()
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
}
