// Package workload is the people of a drill: clients that create, change, move, trash and comment tasks all at once, on
// the same tasks, and others that follow the live streams. They record what they asked for and what they were told.
package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// Config of a load.
type Config struct {
	URL      string   // of the edge
	Projects []string // keys; they are created
	Clients  int
	Streams  int // live streams in each project
	Seed     uint64
	Pause    time.Duration // of a client between two operations, on average
	// Rate is how many operations all clients together begin a second, each at its own steady pace; a turn that comes while a
	// client still waits for an answer is missed. 0: as many as Pause allows.
	Rate float64
	// WalksAway says that one in so many operations is not sent again when its outcome is not known; 0: none.
	WalksAway int
	// Observe is told of each attempt and Missed of each turn that was missed, from all clients at once; nil: nobody is.
	Observe func(Attempt)
	Missed  func()
	Log     *ledger.Log
	Since   func() time.Duration // the run's clock
}

// The tasks that clients meet on.
const (
	hot    = 5   // tasks of each project that everybody changes
	recent = 150 // others are chosen among the youngest
	// hotFor is how long the same tasks are hot. What was done to one task is searched for an order in the end, which must
	// not take longer for longer runs.
	hotFor = 30 * time.Second
	// large imports are one in so many.
	largeOneIn, largeRows = 8, 100
)

// Load is a running load.
type Load struct {
	cfg     Config
	http    *http.Client
	places  map[string]*place
	cancel  context.CancelFunc
	clients sync.WaitGroup
	fills   atomic.Int64

	streams []*stream
	follow  sync.WaitGroup
	endLive context.CancelFunc
}

// place is what all clients know of a project.
type place struct {
	states  []string // that the project began with; they are never archived
	mu      sync.Mutex
	tasks   []seen
	index   map[string]int
	remarks []remark
	links   []linked
	views   []viewed
	set     ledger.Settings // as last seen
	people  []string        // who may become members
	heat    func() int      // which of the tasks are hot now, see hotFrom
}

// seen is a task as last seen.
type seen struct {
	id      string
	version int64
	trashed bool
}

// New makes the projects. Errors are those of a system that does not work before anything was done to it.
func New(ctx context.Context, cfg Config) (*Load, error) {
	l := &Load{cfg: cfg, places: map[string]*place{}, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * cfg.Clients}}}
	people, err := l.invite(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range cfg.Projects {
		body := fmt.Sprintf(`{"key":%q,"name":"Drill %s"}`, key, key)
		var p ledger.Settings
		if err := l.do(ctx, http.MethodPost, "/api/v1/projects", body, http.StatusCreated, &p); err != nil {
			return nil, err
		}
		at := &place{index: map[string]int{}, set: p, people: people, heat: func() int { return int(cfg.Since() / hotFor) }}
		for _, s := range p.States {
			at.states = append(at.states, s.ID)
		}
		l.places[key] = at
	}
	return l, nil
}

func (l *Load) do(ctx context.Context, method, path, body string, want int, into any) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, l.cfg.URL+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := l.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // read as far as it matters
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode != want {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, res.Status, b)
	}
	return json.Unmarshal(b, into)
}

// Start lets clients and streams go.
func (l *Load) Start(ctx context.Context) {
	live, endLive := context.WithCancel(ctx)
	l.endLive = endLive
	for _, key := range l.cfg.Projects {
		for n := range l.cfg.Streams {
			s := newStream(l, len(l.streams), key, n%2 == 1)
			l.streams = append(l.streams, s)
			l.follow.Go(func() { s.run(live) })
		}
	}
	ctx, l.cancel = context.WithCancel(ctx)
	for n := range l.cfg.Clients {
		c := l.caller(n + 1)
		l.clients.Go(func() {
			wait := l.pace(c)
			for ctx.Err() == nil {
				l.step(ctx, c)
				pause := time.NewTimer(wait())
				select {
				case <-pause.C:
				case <-ctx.Done():
					pause.Stop()
				}
			}
		})
	}
}

// pace returns what tells how long a client waits until its next operation.
func (l *Load) pace(c *caller) func() time.Duration {
	if l.cfg.Rate <= 0 {
		return func() time.Duration { return time.Duration(c.random.Int64N(int64(2*l.cfg.Pause) + 1)) }
	}
	every := time.Duration(float64(l.cfg.Clients) / l.cfg.Rate * float64(time.Second))
	turn := l.cfg.Since() + time.Duration(c.random.Int64N(int64(every)+1)) // else all would come at once
	return func() time.Duration {
		now := l.cfg.Since()
		for turn += every; turn < now; turn += every {
			if l.cfg.Missed != nil {
				l.cfg.Missed()
			}
		}
		return turn - now
	}
}

func (l *Load) caller(number int) *caller {
	return &caller{
		http: l.http, base: l.cfg.URL, log: l.cfg.Log, since: l.cfg.Since, number: number, walksAway: l.cfg.WalksAway, observe: l.cfg.Observe,
		random: rand.New(rand.NewPCG(l.cfg.Seed, uint64(number))), //nolint:gosec // the same again with the same seed
	}
}

// EndWrites stops the clients, each after bringing its present operation to an end.
func (l *Load) EndWrites() {
	l.cancel()
	l.clients.Wait()
}

// Reached reports whether every stream has received its project's last event.
func (l *Load) Reached(last map[string]int64) error {
	var errs []error
	for _, s := range l.streams {
		if pos := s.last(); pos < last[s.project] {
			errs = append(errs, fmt.Errorf("stream %d of %s is at %d of %d", s.number, s.project, pos, last[s.project]))
		}
	}
	return errors.Join(errs...)
}

// EndStreams closes the streams and returns what they received.
func (l *Load) EndStreams() []ledger.Stream {
	l.endLive()
	l.follow.Wait()
	l.http.CloseIdleConnections()
	out := make([]ledger.Stream, len(l.streams))
	for i, s := range l.streams {
		out[i] = s.got
	}
	return out
}

// step makes one operation.
func (l *Load) step(ctx context.Context, c *caller) {
	project := l.cfg.Projects[c.random.IntN(len(l.cfg.Projects))]
	at := l.places[project]
	if at.count() < 2*hot {
		at.learn(c.create(ctx, project, nil, ledger.Asked{Bottom: true}))
		return
	}
	t, other := at.pick(c.random), at.pick(c.random)
	state, labels := at.state(c.random), at.labels(c.random)
	var op ledger.Op
	switch n := c.random.IntN(100); {
	case t.trashed && n%2 == 0:
		op = c.restore(ctx, project, t)
	case n < 18:
		op = c.create(ctx, project, nil, ledger.Asked{Bottom: true})
	case n < 22:
		op = c.create(ctx, project, map[string]any{"after": other.id}, ledger.Asked{After: other.id})
	case n < 52:
		op = c.update(ctx, project, t, state, labels)
	case n < 66 && other.id != t.id:
		op = c.move(ctx, project, t, other, state)
	case n < 72:
		op = c.trash(ctx, project, t) // now and then once more, which changes nothing
	case n < 78:
		op = c.comment(ctx, project, t)
		if op.Outcome == ledger.Acknowledged {
			remember(at, &at.remarks, remark{t.id, op.Comment})
		}
	case n < 82:
		var ok bool
		if op, ok = l.discuss(ctx, c, project, at); !ok {
			return
		}
	case n < 86:
		op = c.bulk(ctx, project, at.some(c.random), labels)
	case n < 88:
		rows := 1 + c.random.IntN(4)
		if c.random.IntN(largeOneIn) == 0 {
			rows = largeRows
		}
		op = c.importRows(ctx, project, rows)
	case n < 92:
		op = l.settle(ctx, c, project, at)
	default:
		op = c.read(ctx, project, t)
	}
	at.learn(op)
}

func (p *place) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.tasks)
}

// learn takes what an answer shows.
func (p *place) learn(op ledger.Op) {
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := op.Answer
	if op.Current != nil {
		shown = append(shown, *op.Current)
	}
	for _, t := range shown {
		i, known := p.index[t.ID]
		if !known {
			i = len(p.tasks)
			p.index[t.ID] = i
			p.tasks = append(p.tasks, seen{id: t.ID})
		}
		if t.Version >= p.tasks[i].version {
			p.tasks[i].version, p.tasks[i].trashed = t.Version, t.Trashed != nil
		}
	}
	if op.Settings != nil && op.Settings.Version > p.set.Version {
		p.set = *op.Settings
	}
}

// pick chooses a task: every other time one that everybody works on.
func (p *place) pick(random *rand.Rand) seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	if random.IntN(2) == 0 {
		return p.tasks[p.hotFrom()+random.IntN(hot)]
	}
	from := max(0, len(p.tasks)-recent)
	return p.tasks[from+random.IntN(len(p.tasks)-from)]
}

// hotFrom returns the place of the first hot task: every while the next ones are. The caller holds mu.
func (p *place) hotFrom() int { return p.heat() * hot % (len(p.tasks) - hot + 1) }

// some chooses different tasks that are not in the trash as far as is known.
func (p *place) some(random *rand.Rand) []seen {
	const most = 6
	var out []seen
	taken := map[string]bool{}
	for range most {
		if t := p.pick(random); !t.trashed && !taken[t.id] {
			taken[t.id] = true
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		out = append(out, p.pick(random))
	}
	return out
}

// Probe makes a task in the first project, over and over, until one is acknowledged, and returns that operation. It tells
// how long after a fault people can work again.
func (l *Load) Probe(ctx context.Context, number int) ledger.Op {
	c := l.caller(-number)
	for {
		op := c.create(ctx, l.cfg.Projects[0], nil, ledger.Asked{Bottom: true})
		if op.Outcome == ledger.Acknowledged || ctx.Err() != nil {
			return op
		}
	}
}

// Fill imports tasks into a project, in files of up to perFile rows, until all are acknowledged or ctx ends. It returns how
// many were.
func (l *Load) Fill(ctx context.Context, project string, rows, perFile int) (filled int) {
	c := l.caller(filler - int(l.fills.Add(1)))
	c.walksAway = 0
	for filled < rows && ctx.Err() == nil {
		n := min(perFile, rows-filled)
		if op := c.importRows(ctx, project, n); op.Outcome == ledger.Acknowledged {
			filled += n
		}
	}
	return filled
}

// filler is above the numbers of clients that fill projects, each for once; probes have the other negative ones.
const filler = -1_000_000
