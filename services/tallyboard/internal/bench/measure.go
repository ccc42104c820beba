package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// row of the table: the medians over all rounds.
type row struct {
	name             string
	floors, products []float64 // operations per second
	p50, p99         []float64 // milliseconds, product
	taskCPU, dbCPU   []float64 // microseconds per request
	target           float64
}

func (b *bench) measure(ctx context.Context) (err error) {
	dsn, err := dsnFor(b.cfg.DSN, b.database)
	if err != nil {
		return err
	}
	db, err := openRaw(dsn, b.cfg.Clients)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	f := &floors{db: db}
	if err := f.prepare(ctx); err != nil {
		return err
	}
	main, small, many := newClient(b.task.addr, b.cfg.Clients, "BENCH"), newClient(b.task.addr, b.cfg.Clients, "SMALL"), newClient(b.task.addr, b.cfg.Clients, "MANY")
	fmt.Fprintf(b.out, "MySQL %s; %d clients; %s a measurement, %d rounds, medians\n", b.version, b.cfg.Clients, b.cfg.Span, b.cfg.Rounds)
	for _, p := range []struct {
		c *client
		n int
	}{{small, 1000}, {main, b.cfg.Tasks}, {many, b.cfg.ManyTasks}} {
		id, err := p.c.createProject()
		if err != nil {
			return err
		}
		if p.c == main {
			f.project = id
		}
		began := time.Now()
		if err := p.c.fill(p.n); err != nil {
			return err
		}
		p.c.total = int64(p.n)
		fmt.Fprintf(b.out, "imported %d tasks into %s in %s\n", p.n, p.c.project, time.Since(began).Round(time.Millisecond))
	}
	if err := f.loadIDs(ctx); err != nil {
		return err
	}
	pairs := []*pair{ // creating comes last in each round, so that reading meets the same number of tasks
		{key: "get", row: row{name: "get by key", target: 0.35}, floor: f.get, product: main.get},
		{key: "list", row: row{name: "list of 50", target: 0.6}, floor: f.list, product: main.list},
		{key: "flat", row: row{name: fmt.Sprintf("list of 50: %d tasks against 1000", b.cfg.ManyTasks)}, floor: small.list, product: many.list},
		{key: "create", row: row{name: "create", target: 0.6}, floor: f.create, product: main.create},
	}
	if b.cfg.Only != "" {
		pairs = slices.DeleteFunc(pairs, func(p *pair) bool { return p.key != b.cfg.Only })
	}
	for range b.cfg.Rounds {
		for _, p := range pairs {
			if err := b.run(ctx, p); err != nil {
				return err
			}
		}
	}
	if err := b.report(pairs); err != nil {
		return err
	}
	if b.cfg.Only != "" && b.cfg.Only != "tracing" {
		return nil
	}
	return b.tracing(ctx, main.project, int64(b.cfg.Tasks))
}

// pair is a floor and what the product does, measured one after the other, so that both meet the same weather.
type pair struct {
	row

	key            string // of BENCH_ONLY
	floor, product operation
}

func (b *bench) run(ctx context.Context, p *pair) error {
	r := &p.row
	low, err := drive(ctx, b.cfg.Clients, b.cfg.WarmUp, b.cfg.Span, p.floor)
	if err != nil {
		return fmt.Errorf("floor of %s: %w", r.name, err)
	}
	taskBefore, dbBefore := b.cpu()
	began := time.Now()
	res, err := drive(ctx, b.cfg.Clients, b.cfg.WarmUp, b.cfg.Span, p.product)
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	taskAfter, dbAfter := b.cpu()
	requests := res.Rate * time.Since(began).Seconds() // processor time includes the warm-up
	r.floors, r.products = append(r.floors, low.Rate), append(r.products, res.Rate)
	r.p50, r.p99 = append(r.p50, ms(res.P50)), append(r.p99, ms(res.P99))
	r.taskCPU = append(r.taskCPU, float64((taskAfter-taskBefore).Microseconds())/requests)
	r.dbCPU = append(r.dbCPU, float64((dbAfter-dbBefore).Microseconds())/requests)
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// cpu returns the processor time of task-service and of the database so far; 0 where it cannot be read.
func (b *bench) cpu() (task, db time.Duration) {
	task, _ = cpuTime(b.task.pid) // reported as 0 on systems without /proc
	if b.dbPID > 0 {
		db, _ = cpuTime(b.dbPID) // as above, and for a server of another user
	}
	return task, db
}

func (b *bench) report(rows []*pair) error {
	fmt.Fprint(b.out, "\n| operation | floor/s | product/s | ratio | target | p50 ms | p99 ms | service µs/request | database µs/request |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		ratios := make([]float64, len(r.floors))
		for i := range r.floors {
			ratios[i] = r.products[i] / r.floors[i]
		}
		target := "-"
		if r.target > 0 {
			target = fmt.Sprintf("≥ %.2f", r.target)
		}
		fmt.Fprintf(b.out, "| %s | %.0f | %.0f | %.2f | %s | %.2f | %.2f | %.0f | %.0f |\n", r.name, median(r.floors), median(r.products), median(ratios), target,
			median(r.p50), median(r.p99), median(r.taskCPU), median(r.dbCPU))
	}
	fmt.Fprint(b.out, "\n| process | ready ms | peak RSS MiB | processor time s |\n|---|---|---|---|\n")
	for _, s := range []*service{b.task, b.stats} {
		rss, err := peakRSS(s.pid)
		if err != nil {
			return fmt.Errorf("memory of %s: %w", s.name, err)
		}
		cpu, err := cpuTime(s.pid)
		if err != nil {
			return fmt.Errorf("processor time of %s: %w", s.name, err)
		}
		fmt.Fprintf(b.out, "| %s | %.0f | %.1f | %.1f |\n", s.name, ms(s.ready), float64(rss)/(1<<20), cpu.Seconds())
	}
	return nil
}
