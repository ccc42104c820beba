package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	statsapp "github.com/tallyboard/tallyboard/services/stats-service/app"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/edge"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/natsembed"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/pgembed"
	taskapp "github.com/tallyboard/tallyboard/services/task-service/app"
)

// Deps are what the launcher gets from its command.
type Deps struct {
	Environ []string // the services read their own variables from it
	Out     io.Writer
	Log     *slog.Logger
	LogOut  io.Writer // where the services write their logs
	UI      fs.FS
	Version string
	Ready   func(url string) // called once when everything answers; may be nil
}

// Run starts everything and blocks until ctx ends or a part fails; then it stops everything, last first.
func Run(ctx context.Context, cfg Config, d Deps) (err error) {
	var closer boot.Closer
	closer.Log = d.Log
	defer func() { err = errors.Join(err, closer.Close(context.WithoutCancel(ctx))) }()

	lock, err := cfg.lockData()
	if err != nil {
		return err
	}
	closer.Add("data folder lock", cfg.StopTimeout, func(context.Context) error { return lock.Unlock() })

	// The port comes before anything slow, so that a port in use is said at once.
	front, err := boot.Listen(ctx, net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	if err != nil {
		return err
	}
	closer.Add("port", cfg.StopTimeout, func(context.Context) error { return ignoreClosed(front.Close()) })
	if !loopback(cfg.Host) {
		d.Log.Warn("listening beyond this machine: there are no accounts yet, whoever reaches the port is the owner", "host", cfg.Host)
	}

	databaseURL, err := cfg.database(ctx, &closer, d)
	if err != nil {
		return err
	}
	natsURL, connect, err := cfg.nats(&closer, d)
	if err != nil {
		return err
	}
	return cfg.serve(ctx, &closer, d, front, databaseURL, natsURL, connect)
}

// database returns the URL of the configured server, or starts the embedded PostgreSQL.
func (c Config) database(ctx context.Context, closer *boot.Closer, d Deps) (string, error) {
	if c.DatabaseURL != "" {
		resolved, err := db.Config{URL: c.DatabaseURL, Password: c.DatabasePassword, CAFile: c.DatabaseCAFile}.ResolvedURL()
		if err != nil {
			return "", fmt.Errorf("DATABASE_URL: %w", err)
		}
		return resolved, nil
	}
	binaries, err := c.binaries()
	if err != nil {
		return "", err
	}
	pg, err := pgembed.Start(ctx, pgembed.Config{Binaries: binaries, DataDir: c.DataDir, StartTimeout: c.ReadyTimeout, StopTimeout: c.StopTimeout}, d.Log)
	if err != nil {
		return "", err
	}
	closer.Add("PostgreSQL", c.StopTimeout+5*time.Second, func(context.Context) error { pg.Stop(); return nil })
	return pg.URL(), nil
}

// nats returns the URL of the configured server, or starts the embedded one and returns how to connect to it in-process.
func (c Config) nats(closer *boot.Closer, d Deps) (url string, connect func(name string) (*nats.Conn, error), err error) {
	if c.NATSURL != "" {
		return c.NATSURL, func(string) (*nats.Conn, error) { return nil, nil }, nil // nil: the service connects by URL itself
	}
	srv, err := natsembed.Start(natsembed.Config{StoreDir: filepath.Join(c.DataDir, "nats"), SyncInterval: c.SyncInterval, MaxStore: c.MaxStore, StartTimeout: c.ReadyTimeout}, d.Log)
	if err != nil {
		return "", nil, err
	}
	closer.Add("NATS", c.StopTimeout, func(context.Context) error { srv.Stop(); return nil })
	return "", func(name string) (*nats.Conn, error) {
		nc, err := nats.Connect("", srv.Option(), nats.Name(name), nats.MaxReconnects(-1))
		if err != nil {
			return nil, fmt.Errorf("connect %s to the embedded NATS: %w", name, err)
		}
		return nc, nil
	}, nil
}

// serve runs migrations, both services and the edge until ctx ends or one of them fails.
func (c Config) serve(ctx context.Context, closer *boot.Closer, d Deps, front net.Listener, databaseURL, natsURL string, connect func(string) (*nats.Conn, error)) error {
	if err := taskapp.Migrate(ctx, databaseURL, d.Log); err != nil {
		return fmt.Errorf("prepare the database: %w", err)
	}
	if err := statsapp.Migrate(ctx, databaseURL, d.Log); err != nil {
		return fmt.Errorf("prepare the database for statistics: %w", err)
	}
	environ := c.environ(d.Environ, databaseURL, natsURL)
	taskCfg, err := boot.LoadConfig[taskapp.Config](environ)
	if err != nil {
		return err
	}
	statsCfg, err := boot.LoadConfig[statsapp.Config](environ)
	if err != nil {
		return err
	}
	tracing, err := c.tracing(ctx, closer, d, environ) // before the services, so that it stops after them
	if err != nil {
		return err
	}
	taskNATS, err := connect("task-service")
	if err != nil {
		return err
	}
	statsNATS, err := connect("stats-service")
	if err != nil {
		return err
	}

	// The services outlive the edge: requests that are under way at Ctrl+C are still answered.
	services, stopServices := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServices()
	var group errgroup.Group
	failed := make(chan error, 2)
	taskAddr, statsAddr := make(chan string, 1), make(chan string, 1)
	start := func(name string, run func() error) {
		group.Go(func() error {
			err := run()
			if err != nil {
				err = fmt.Errorf("%s: %w", name, err)
			}
			failed <- err
			return err
		})
	}
	start("task-service", func() error {
		return taskapp.Run(services, taskCfg, taskapp.Deps{Log: d.LogOut, NATS: taskNATS, UI: d.UI, Version: d.Version,
			Spans: tracing.spans(), Traces: tracing.source(), Ready: func(a string) { taskAddr <- a }})
	})
	start("stats-service", func() error {
		return statsapp.Run(services, statsCfg, statsapp.Deps{Log: d.LogOut, NATS: statsNATS, Version: d.Version,
			Spans: tracing.spans(), Ready: func(a string) { statsAddr <- a }})
	})
	stop := func() error { stopServices(); return group.Wait() }

	addrs := map[string]string{}
	timeout := time.NewTimer(c.ReadyTimeout)
	defer timeout.Stop()
	for len(addrs) < 2 {
		select {
		case a := <-taskAddr:
			addrs["task"] = a
		case a := <-statsAddr:
			addrs["stats"] = a
		case err := <-failed:
			return errors.Join(err, stop())
		case <-timeout.C:
			return errors.Join(fmt.Errorf("the services were not ready within %s", c.ReadyTimeout), stop())
		case <-ctx.Done():
			return stop()
		}
	}
	//nolint:contextcheck // requests have contexts of their own
	handler := edge.New(edge.Config{TaskAddr: addrs["task"], StatsAddr: addrs["stats"], DialTimeout: 2 * time.Second, IdleConns: 64,
		AllowedHosts: taskCfg.API.AllowedHosts}, tracing.edge())
	server := &http.Server{Handler: handler,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug)}
	closer.Add("edge", time.Second, func(context.Context) error { return server.Close() }) // streams that are still open end here
	group.Go(func() error {
		if err := server.Serve(front); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("edge: %w", err)
		}
		return nil
	})
	c.announce(d, front)
	select {
	case err := <-failed:
		return errors.Join(err, c.stopEdge(context.WithoutCancel(ctx), server), stop())
	case <-ctx.Done():
		fmt.Fprintln(d.Out, "Stopping …")
		return errors.Join(c.stopEdge(context.WithoutCancel(ctx), server), stop())
	}
}

// stopEdge lets open requests finish. Live streams do not finish by themselves: they get a moment, and end with their
// services; browsers resume them where they were.
func (c Config) stopEdge(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop the edge: %w", err)
	}
	return nil
}

func (c Config) announce(d Deps, front net.Listener) {
	host := c.Host
	if loopback(host) {
		host = "localhost"
	}
	port := front.Addr().(*net.TCPAddr).Port //nolint:errcheck // front listens on TCP
	url := fmt.Sprintf("http://%s", net.JoinHostPort(host, strconv.Itoa(port)))
	fmt.Fprintf(d.Out, "Tallyboard is ready at %s\n  data in %s · API docs at %s/api/docs · Ctrl+C stops it\n", url, c.DataDir, url)
	if d.Ready != nil {
		d.Ready(url)
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
