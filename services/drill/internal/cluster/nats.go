package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit/ports"
)

// natsReady bounds the start of a NATS server.
const natsReady = 2 * time.Minute

// tryFor bounds one of several tries to get a server to answer.
const tryFor = 2 * time.Second

// connectWithin bounds a connection of the drill's own to NATS, which is not tried again.
const connectWithin = 10 * time.Second

// clusterName is the name of a cluster of NATS servers.
const clusterName = "drill"

// NATSConfig is what the program of one NATS server is told.
type NATSConfig struct {
	Name    string
	Addr    string // host:port for clients
	Monitor string // host:port of what it says of itself, over HTTP
	Store   string // folder of JetStream
	Routes  string // host:port of all servers of the cluster, its own first, separated by commas; empty: it is alone
}

// ServeNATS runs a NATS server with JetStream in this process until ctx ends.
func ServeNATS(ctx context.Context, cfg NATSConfig) error {
	opts := &server.Options{ServerName: cfg.Name, JetStream: true, StoreDir: cfg.Store, NoSigs: true, JetStreamMaxStore: 1 << 30, JetStreamMaxMemory: 64 << 20}
	var err error
	if opts.Host, opts.Port, err = splitAddr(cfg.Addr); err != nil {
		return err
	}
	if opts.HTTPHost, opts.HTTPPort, err = splitAddr(cfg.Monitor); err != nil {
		return err
	}
	if cfg.Routes != "" {
		routes := strings.Split(cfg.Routes, ",")
		// Clients must not learn of the other servers: they would go round the drill's proxies.
		opts.Cluster = server.ClusterOpts{Name: clusterName, NoAdvertise: true}
		if opts.Cluster.Host, opts.Cluster.Port, err = splitAddr(routes[0]); err != nil {
			return err
		}
		for _, addr := range routes[1:] {
			opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", Host: addr})
		}
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("set up NATS %s: %w", cfg.Name, err)
	}
	srv.ConfigureLogger()
	srv.Start()
	<-ctx.Done()
	srv.Shutdown()
	srv.WaitForShutdown()
	return nil
}

func splitAddr(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("address: %w", err)
	}
	if port, err = strconv.Atoi(text); err != nil {
		return "", 0, fmt.Errorf("address: %w", err)
	}
	return host, port, nil
}

// NATS is one NATS server with its store in the drill's folder.
type NATS struct {
	*proc.Process
	Addr    string
	Store   string // where we find it
	monitor string // host:port of what it says of itself
	client  *http.Client
}

func natsName(i int) string { return fmt.Sprintf("nats-%d", i+1) }

// newNATS returns servers that do not run yet; more than one form a cluster.
func (c *Cluster) newNATS() ([]*NATS, error) {
	routes := make([]string, c.cfg.NATS)
	for i := range routes {
		var err error
		if routes[i], err = ports.FreeAddr(); err != nil {
			return nil, err
		}
	}
	out := make([]*NATS, len(routes))
	for i := range out {
		addr, err := ports.FreeAddr()
		if err != nil {
			return nil, err
		}
		monitor, err := ports.FreeAddr()
		if err != nil {
			return nil, err
		}
		name := natsName(i)
		store := filepath.Join(c.cfg.Dir, name, diskFolder, "store")
		args := []string{"nats", "-name", name, "-addr", addr, "-monitor", monitor, "-store", store}
		if len(routes) > 1 {
			own := append([]string{routes[i]}, append(append([]string(nil), routes[:i]...), routes[i+1:]...)...)
			args = append(args, "-routes", strings.Join(own, ","))
		}
		out[i] = &NATS{Addr: addr, Store: c.outside(store), monitor: monitor, client: c.client, Process: proc.New(c.enter(proc.Spec{
			Name: name, Path: c.cfg.Self, Args: args, Env: []string{"PATH=" + os.Getenv("PATH")}, Dir: c.cfg.Dir, Logs: c.cfg.Logs,
		}))}
	}
	return out, nil
}

// Ready waits until the server takes clients.
func (n *NATS) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, natsReady)
	defer cancel()
	return n.Await(ctx, func(context.Context) error {
		nc, err := n.Connect()
		if err != nil {
			return err
		}
		nc.Close()
		return nil
	})
}

// Connect returns a connection of the drill's own, past the proxies.
func (n *NATS) Connect() (*nats.Conn, error) {
	nc, err := nats.Connect("nats://"+n.Addr, nats.Name("drill"), nats.NoReconnect(), nats.Timeout(connectWithin))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", n.Name(), err)
	}
	return nc, nil
}

// streamReady waits until JetStream answers; a cluster elects its leader first.
func (n *NATS) streamReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, natsReady)
	defer cancel()
	return n.Await(ctx, func(ctx context.Context) (err error) {
		nc, err := n.Connect()
		if err != nil {
			return err
		}
		defer nc.Close()
		js, err := jetstream.New(nc)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, tryFor)
		defer cancel()
		_, err = js.AccountInfo(ctx)
		return err
	})
}

// Writes returns an error unless JetStream of this server is well, as it says itself: an operator asks the same way.
func (n *NATS) Writes(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.monitor+"/healthz", nil)
	if err != nil {
		return err
	}
	res, err := n.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // read as far as it matters
	if res.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return errors.Join(fmt.Errorf("%s is not healthy: %s", n.Name(), text), err)
	}
	return nil
}

// NATSReady waits until all servers run and JetStream answers.
func (c *Cluster) NATSReady(ctx context.Context) error {
	for _, n := range c.NATS {
		if err := n.Ready(ctx); err != nil {
			return err
		}
	}
	return c.NATS[0].streamReady(ctx)
}

// StopNATS kills all servers, so that their stores can be copied or replaced.
func (c *Cluster) StopNATS() error {
	var errs []error
	for _, n := range c.NATS {
		errs = append(errs, n.Kill())
	}
	return errors.Join(errs...)
}

// StartNATS starts all servers again and waits for them.
func (c *Cluster) StartNATS(ctx context.Context) error {
	for _, n := range c.NATS {
		if err := n.Start(); err != nil {
			return err
		}
	}
	return c.NATSReady(ctx)
}
