// Package cluster is the system under drill: a database server, NATS, two replicas of each service and the edge, as real
// processes on this machine, with a proxy of ours on every way from a service to the database and to NATS.
package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/disk"
	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
	"github.com/tallyboard/tallyboard/services/drill/internal/proxy"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit/ports"
)

// Config of a cluster.
type Config struct {
	Engine Engine
	NATS   int    // servers: 1, or 3 as a cluster whose stream has three replicas
	Dir    string // for data; must be empty, and open to others if root starts the drill
	Logs   string // one log for each process
	Tasks  string // the program task-service
	Stats  string // the program stats-service
	Self   string // the drill's own program, which is NATS and the edge, too
	Script string // testkit/servers.sh, which gets a database server if there is none
	// Extra returns what one replica is told beyond the rest, as NAME=value; nil: nothing. It is asked at the beginning.
	Extra func(replica string) []string
	// Each returns what it is told besides at its nth start, from 1; nil: nothing.
	Each func(replica string, start int) []string
	// Disks gives the database and each NATS server a small disk of its own, so that it can be full, if this machine lets us.
	Disks bool
}

// How long parts may take.
const (
	startTimeout = 5 * time.Minute // a busy machine initialises two database servers at once in CI
	stopPatience = time.Minute     // until a process ends that was asked to; it has limits of its own
	lookFor      = 3 * time.Second // one look at a replica or the edge; who looks, looks again
)

// The names of what services connect to, in names of links.
const (
	toDatabase = "database"
	arrow      = "→"
)

// Service is one replica of a service, or the edge.
type Service struct {
	*proc.Process
	Addr string // host:port
}

// Cluster is a running system.
type Cluster struct {
	cfg      Config
	DB       *Database
	NATS     []*NATS
	Tasks    []*Service
	Stats    []*Service
	Edge     *Service
	Links    []*proxy.Link // named FROM→TO
	NoDisks  error         // why servers have no disks of their own, though they should; nil: they have
	client   *http.Client
	services []*Service
	room     *disk.Room // nil: servers have no disks of their own
}

// Replicas is how many there are of each service.
const Replicas = 2

// Start makes and starts everything.
func Start(ctx context.Context, cfg Config) (c *Cluster, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	c = &Cluster{cfg: cfg, client: &http.Client{Timeout: lookFor, Transport: &http.Transport{DisableKeepAlives: true}}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop())
		}
	}()
	who, err := serverUser()
	if err != nil {
		return c, err
	}
	if err := c.openDisks(ctx, who); err != nil {
		return c, err
	}
	if c.DB, err = c.newDatabase(ctx, filepath.Join(cfg.Dir, databaseFolder), who); err != nil {
		return c, err
	}
	if err := c.DB.Up(ctx); err != nil {
		return c, err
	}
	if err := c.DB.create(ctx); err != nil {
		return c, err
	}
	for _, program := range []string{cfg.Tasks, cfg.Stats} {
		if err := c.migrate(ctx, program); err != nil {
			return c, err
		}
	}
	if c.NATS, err = c.newNATS(); err != nil {
		return c, err
	}
	if err := c.StartNATS(ctx); err != nil {
		return c, err
	}
	if err := c.startServices(ctx); err != nil {
		return c, err
	}
	return c, c.startEdge(ctx)
}

func (c *Cluster) migrate(ctx context.Context, program string) error {
	cmd := exec.CommandContext(ctx, program, "migrate")
	cmd.Env = append(c.environ(), "DATABASE_URL="+c.DB.URL("", c.DB.Addr(), ""))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s migrate: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}

// environ is what services are told in any case. They keep their defaults: the drill is about these.
func (c *Cluster) environ() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.cfg.Dir, "TMPDIR=" + c.cfg.Dir, "LOG_LEVEL=info", "HTTP_ACCESS_LOG=false",
		"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none",
	}
}

func (c *Cluster) startServices(ctx context.Context) error {
	for _, kind := range []struct {
		name, program string
		list          *[]*Service
	}{{"task", c.cfg.Tasks, &c.Tasks}, {"stats", c.cfg.Stats, &c.Stats}} {
		for i := range Replicas {
			s, err := c.newService(fmt.Sprintf("%s-%d", kind.name, i+1), kind.program) //nolint:contextcheck // its links live until Stop
			if err != nil {
				return err
			}
			*kind.list = append(*kind.list, s)
			c.services = append(c.services, s)
			if err := s.Start(); err != nil {
				return err
			}
		}
	}
	for _, s := range c.services {
		if err := c.Ready(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) newService(name, program string) (*Service, error) {
	addr, err := ports.FreeAddr()
	if err != nil {
		return nil, err
	}
	database, err := c.link(name, toDatabase, c.DB.Addr())
	if err != nil {
		return nil, err
	}
	var nats []string
	for _, n := range c.NATS {
		l, err := c.link(name, n.Name(), n.Addr)
		if err != nil {
			return nil, err
		}
		nats = append(nats, "nats://"+l.Addr())
	}
	env := append(c.environ(), "LISTEN="+addr, "INSTANCE_ID="+name, "DATABASE_URL="+c.DB.URL("", database.Addr(), ""),
		"NATS_URL="+strings.Join(nats, ","), fmt.Sprintf("NATS_STREAM_REPLICAS=%d", len(c.NATS)))
	if c.cfg.Extra != nil {
		env = append(env, c.cfg.Extra(name)...)
	}
	spec := proc.Spec{Name: name, Path: program, Args: []string{"serve"}, Env: env, Dir: c.cfg.Dir, Logs: c.cfg.Logs}
	if c.cfg.Each != nil {
		spec.Each = func(start int) []string { return c.cfg.Each(name, start) }
	}
	return &Service{Addr: addr, Process: proc.New(spec)}, nil
}

func (c *Cluster) link(from, to, target string) (*proxy.Link, error) {
	l, err := proxy.Listen(from+arrow+to, target)
	if err == nil {
		c.Links = append(c.Links, l)
	}
	return l, err
}

func (c *Cluster) startEdge(ctx context.Context) error {
	addr, err := ports.FreeAddr()
	if err != nil {
		return err
	}
	addrs := func(list []*Service) string {
		var out []string
		for _, s := range list {
			out = append(out, s.Addr)
		}
		return strings.Join(out, ",")
	}
	args := []string{"edge", "-addr", addr, "-tasks", addrs(c.Tasks), "-stats", addrs(c.Stats)}
	c.Edge = &Service{Addr: addr, Process: proc.New(proc.Spec{Name: "edge", Path: c.cfg.Self, Args: args, Env: []string{"PATH=" + os.Getenv("PATH")}, Dir: c.cfg.Dir, Logs: c.cfg.Logs})}
	if err := c.Edge.Start(); err != nil {
		return err
	}
	return c.Ready(ctx, c.Edge)
}

// URL is where clients find the system.
func (c *Cluster) URL() string { return "http://" + c.Edge.Addr }

// Services returns all replicas: of task-service first.
func (c *Cluster) Services() []*Service { return c.services }

// Ready waits until the replica, or a replica through the edge, answers that it serves.
func (c *Cluster) Ready(ctx context.Context, s *Service) error {
	return s.Await(ctx, func(ctx context.Context) error {
		_, err := c.Health(ctx, s)
		return err
	})
}

// Health asks a replica how it is: "ok" or "degraded"; not serving is an error.
func (c *Cluster) Health(ctx context.Context, s *Service) (string, error) {
	var health struct {
		Status string `json:"status"`
	}
	if err := c.Get(ctx, "http://"+s.Addr+"/health", &health); err != nil {
		return "", err
	}
	return health.Status, nil
}

// Get reads JSON.
func (c *Cluster) Get(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end or useless
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", url, res.StatusCode)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}

// Stop ends everything, in the order in which each still has what it needs.
func (c *Cluster) Stop() error {
	var errs []error
	stop := func(p *proc.Process) {
		if p.PID() == 0 {
			return
		}
		errs = append(errs, p.Resume(), p.Terminate(stopPatience))
	}
	if c.Edge != nil {
		stop(c.Edge.Process)
	}
	for _, s := range c.services {
		stop(s.Process)
	}
	for _, l := range c.Links {
		errs = append(errs, l.Close())
	}
	for _, n := range c.NATS {
		stop(n.Process)
	}
	if c.DB != nil {
		if err := c.DB.Kill(); err != nil { // its data is thrown away
			errs = append(errs, err)
		}
	}
	if c.room != nil {
		errs = append(errs, c.room.Close())
	}
	return errors.Join(errs...)
}
