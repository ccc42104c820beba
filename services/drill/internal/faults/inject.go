package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
	"github.com/tallyboard/tallyboard/services/drill/internal/proxy"
)

// healWithin bounds the mending of one fault, such as the start of a killed database.
const healWithin = 60 * time.Second

// stopPatience is how long a service may take to end after SIGTERM. Its own limit is 25 s.
const stopPatience = 30 * time.Second

// leaderPause is the pause between two questions for the leader.
const leaderPause = 100 * time.Millisecond

// Injector carries faults out on a cluster. Those that are compatible may be carried out at the same time.
type Injector struct {
	Cluster *cluster.Cluster
	Copies  string     // folder for copies of NATS's files
	Random  *rand.Rand // of redelivery alone
}

// Do carries one fault out and mends it: when it returns, nothing hinders recovery any more. detail says what exactly was
// hit. An error means that the fault could not be carried out or mended.
func (i *Injector) Do(ctx context.Context, f Fault) (detail string, err error) {
	ctx, cancel := context.WithTimeout(ctx, healWithin)
	defer cancel()
	switch f.Kind {
	case Kill, KillLeader:
		return i.kill(ctx, f)
	case PowerCut:
		return "", i.powerCut(ctx, f.For)
	case Pause, PauseLeader:
		return i.pause(ctx, f)
	case Rolling:
		return i.rolling(ctx)
	case CutOffLeader:
		return i.cutOffLeader(ctx, f)
	case Delay, Slow, Hold, Cut, HalfClose:
		return i.network(ctx, f)
	case Delete:
		return i.deleteStream(ctx)
	case Copy:
		return "", i.CopyStream(ctx)
	case RestoreOld:
		return "", i.restoreStream(ctx)
	case Redeliver:
		return i.redeliver(ctx, f.Amount)
	case DiskFull:
		return i.fullDisk(ctx, f)
	}
	return "", fmt.Errorf("there is no fault %q", f.Kind)
}

// processes returns all of them, what others need first.
func (i *Injector) processes() []*proc.Process {
	c := i.Cluster
	all := []*proc.Process{c.DB.Process}
	for _, n := range c.NATS {
		all = append(all, n.Process)
	}
	for _, s := range c.Services() {
		all = append(all, s.Process)
	}
	return append(all, c.Edge.Process)
}

// process finds the process that a fault is about; which says its name if the fault does not.
func (i *Injector) process(ctx context.Context, f Fault) (p *proc.Process, which string, err error) {
	name := f.Target
	if name == TaskLeader || name == StatsLeader {
		if which, err = i.leader(ctx, name); err != nil {
			return nil, "", err
		}
		name = which
	}
	for _, p := range i.processes() {
		if p.Name() == name {
			return p, which, nil
		}
	}
	return nil, "", fmt.Errorf("there is no process %s", name)
}

// kill ends a process and starts it again. A database or NATS is mended once it takes connections, a service at once:
// there is another one.
func (i *Injector) kill(ctx context.Context, f Fault) (which string, err error) {
	p, which, err := i.process(ctx, f)
	if err != nil {
		return "", err
	}
	if err := p.Kill(); err != nil {
		return which, err
	}
	if err := rest(ctx, f.For); err != nil {
		return which, err
	}
	if err := p.Start(); err != nil {
		return which, err
	}
	c := i.Cluster
	if p == c.DB.Process {
		return which, c.DB.Ready(ctx)
	}
	for _, n := range c.NATS {
		if p == n.Process {
			return which, n.Ready(ctx)
		}
	}
	return which, nil
}

// powerCut kills everything at the same time and starts everything at the same time. It is mended once the database and
// NATS take connections.
func (i *Injector) powerCut(ctx context.Context, dark time.Duration) error {
	all := i.processes()
	errs := make([]error, len(all))
	var killed sync.WaitGroup
	for n, p := range all {
		killed.Go(func() { errs[n] = p.Kill() })
	}
	killed.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := rest(ctx, dark); err != nil {
		return err
	}
	for _, p := range all {
		if err := p.Start(); err != nil {
			return err
		}
	}
	return errors.Join(i.Cluster.DB.Ready(ctx), i.Cluster.NATSReady(ctx))
}

func (i *Injector) pause(ctx context.Context, f Fault) (which string, err error) {
	p, which, err := i.process(ctx, f)
	if err != nil {
		return which, err
	}
	if err := p.Pause(); err != nil {
		return which, err
	}
	return which, errors.Join(rest(ctx, f.For), p.Resume())
}

// leader returns which replica holds the lease.
func (i *Injector) leader(ctx context.Context, which string) (name string, err error) {
	db, err := i.Cluster.DB.Open()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	table, replicas := "task_leases", i.Cluster.Tasks
	if which == StatsLeader {
		table, replicas = "stats_leases", i.Cluster.Stats
	}
	var holder string
	for { // the database may be away, by a fault that began together with this one
		err := db.QueryRowContext(ctx, "SELECT holder FROM "+table+" ORDER BY epoch DESC LIMIT 1").Scan(&holder)
		if err == nil {
			break
		}
		if rest(ctx, leaderPause) != nil {
			return "", fmt.Errorf("ask for the %s: %w", which, err)
		}
	}
	for _, r := range replicas {
		if strings.HasPrefix(holder, r.Name()+"-") {
			return r.Name(), nil
		}
	}
	return "", fmt.Errorf("the %s is %s, which is none of the replicas", which, holder)
}

// rolling restarts every replica as a deployment does: the next one only after the one before is ready.
func (i *Injector) rolling(ctx context.Context) (string, error) {
	var took []string
	for _, s := range i.Cluster.Services() {
		began := time.Now()
		if err := s.Terminate(stopPatience); err != nil {
			return "", err
		}
		stopped := time.Since(began)
		if err := s.Start(); err != nil {
			return "", err
		}
		if err := i.Cluster.Ready(ctx, s); err != nil {
			return "", err
		}
		took = append(took, fmt.Sprintf("%s %.1f+%.1f s", s.Name(), stopped.Seconds(), (time.Since(began)-stopped).Seconds()))
	}
	return strings.Join(took, ", "), nil
}

// cutOffLeader holds everything between the leader and the database until another has taken over, and then lets it through.
func (i *Injector) cutOffLeader(ctx context.Context, f Fault) (which string, err error) {
	if which, err = i.leader(ctx, f.Target); err != nil {
		return "", err
	}
	f.Kind, f.Target = Hold, which+AllDatabase
	_, err = i.network(ctx, f)
	return which, err
}

// network puts links under conditions, or breaks what they carry.
func (i *Injector) network(ctx context.Context, f Fault) (detail string, err error) {
	var links []*proxy.Link
	for _, l := range i.Cluster.Links {
		if f.covers(l.Name()) {
			links = append(links, l)
		}
	}
	if len(links) == 0 {
		return "", fmt.Errorf("there is no link %s", f.Target)
	}
	switch f.Kind {
	case Cut, HalfClose:
		return fmt.Sprintf("%d connections", i.breakOften(ctx, f, links)), ctx.Err()
	}
	var c proxy.Conditions
	switch f.Kind {
	case Delay:
		c.Delay, detail = time.Duration(f.Amount)*time.Millisecond, fmt.Sprintf("%d ms", f.Amount)
	case Slow:
		c.Rate, detail = f.Amount, fmt.Sprintf("%d B/s", f.Amount)
	default:
		c.Hold = true
	}
	for _, l := range links {
		l.Set(c)
	}
	err = rest(ctx, f.For)
	for _, l := range links {
		l.Set(proxy.Conditions{})
	}
	return detail, err
}

// covers reports whether a fault of the network concerns a link.
func (f Fault) covers(link string) bool {
	from, to, _ := strings.Cut(f.Target, "→")
	linkFrom, linkTo, _ := strings.Cut(link, "→")
	return (from == "" || from == linkFrom) && strings.HasPrefix(linkTo, to)
}

// breakOften breaks connections several times while the fault lasts.
func (i *Injector) breakOften(ctx context.Context, f Fault, links []*proxy.Link) (broken int) {
	const times = 3
	for n := range times {
		if n > 0 && rest(ctx, f.For/times) != nil {
			break
		}
		for _, l := range links {
			if f.Kind == Cut {
				broken += l.Cut()
			} else {
				broken += l.HalfClose(proxy.Side(f.Amount))
			}
		}
	}
	return broken
}

// CopyStream keeps NATS's files as they are now, so that they can be restored when they are old.
func (i *Injector) CopyStream(ctx context.Context) error {
	if err := i.Cluster.StopNATS(); err != nil {
		return err
	}
	var errs []error
	for _, n := range i.Cluster.NATS {
		to := filepath.Join(i.Copies, n.Name())
		errs = append(errs, os.RemoveAll(to), os.CopyFS(to, os.DirFS(n.Store)))
	}
	return errors.Join(append(errs, i.Cluster.StartNATS(ctx))...)
}

// restoreStream puts the copied files in the place of the present ones.
func (i *Injector) restoreStream(ctx context.Context) error {
	if err := i.Cluster.StopNATS(); err != nil {
		return err
	}
	var errs []error
	for _, n := range i.Cluster.NATS {
		errs = append(errs, os.RemoveAll(n.Store), os.CopyFS(n.Store, os.DirFS(filepath.Join(i.Copies, n.Name()))))
	}
	return errors.Join(append(errs, i.Cluster.StartNATS(ctx))...)
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
