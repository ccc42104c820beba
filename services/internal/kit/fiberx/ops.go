package fiberx

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
)

// The operations endpoints.
const (
	pathHealth    = "/health"
	pathLive      = "/livez"
	pathMetrics   = "/metrics"
	pathPoolStats = "/pool-stats"
)

// checkTimeout bounds each probe of /health.
const checkTimeout = 2 * time.Second

// healthCacheFor is how long a report is reused, so that nobody can use /health to occupy the pool.
const healthCacheFor = 250 * time.Millisecond

// databaseCheck is the name of the check whose latency is reported as databaseLatencyMs.
const databaseCheck = "database"

// The states of a service and of its checks.
const (
	StatusOK          = "ok"
	StatusDegraded    = "degraded"
	StatusUnavailable = "unavailable"
)

// Ops are what the operations endpoints tell about a service.
type Ops struct {
	Service, Version, Instance string
	// Ready is false while starting and from the begin of the shutdown on. Nil means always ready.
	Ready func() bool
	// Checks are probed by /health, at the same time.
	Checks []Check
	// Pool is the pool that serves requests.
	Pool func() db.PoolStats
	// Pools are further pools by name, for /pool-stats only.
	Pools map[string]func() db.PoolStats
	// Metrics serves /metrics; telemetry.Telemetry has one.
	Metrics http.Handler
}

// Check probes one part that the service depends on.
type Check struct {
	// Name is shown in the report; the one named "database" also gives databaseLatencyMs.
	Name string
	// Critical parts make the service unavailable (503) when they fail, others only degraded (200).
	Critical bool
	// Probe must respect its context, which ends after 2 s.
	Probe func(context.Context) CheckResult
}

// CheckResult is what a probe found.
type CheckResult struct {
	// OK is whether the part works.
	OK bool
	// Detail is a sentence for operators; it must not hold addresses or credentials.
	Detail string
	// Latency is how long the part took to answer; zero if that means nothing.
	Latency time.Duration
	// Since is when the present state began; zero if not known.
	Since time.Time
}

// Health is the body of /health.
type Health struct {
	Status            string        `json:"status"`
	Service           string        `json:"service"`
	Version           string        `json:"version"`
	Instance          string        `json:"instance"`
	Timestamp         time.Time     `json:"timestamp"`
	DatabaseLatencyMs *float64      `json:"databaseLatencyMs,omitempty"`
	Pool              *db.PoolStats `json:"pool,omitempty"`
	Checks            []HealthCheck `json:"checks"`
}

// HealthCheck is one line of Health.
type HealthCheck struct {
	Name      string     `json:"name"`
	Status    string     `json:"status"`
	Critical  bool       `json:"critical"`
	Detail    string     `json:"detail,omitempty"`
	LatencyMs *float64   `json:"latencyMs,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
}

// MountOps adds the operations endpoints: /health (200, or 503 when a critical part fails or the service is not ready),
// /livez (200 as long as the process serves), /metrics and /pool-stats.
func MountOps(app *fiber.App, ops Ops) {
	reporter := &healthReporter{ops: ops}
	app.Get(pathHealth, func(c *fiber.Ctx) error {
		health := reporter.report(c.UserContext())
		if health.Status == StatusUnavailable {
			c.Status(http.StatusServiceUnavailable)
			c.Set(fiber.HeaderRetryAfter, "2")
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.JSON(health)
	})
	app.Get(pathLive, func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.JSON(fiber.Map{"status": StatusOK})
	})
	if ops.Metrics != nil {
		app.Get(pathMetrics, adaptor.HTTPHandler(ops.Metrics))
	}
	app.Get(pathPoolStats, func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.JSON(ops.poolStats())
	})
}

// PoolReport is the body of /pool-stats.
type PoolReport struct {
	Service   string                  `json:"service"`
	Instance  string                  `json:"instance"`
	Timestamp time.Time               `json:"timestamp"`
	Pool      *db.PoolStats           `json:"pool,omitempty"`
	Pools     map[string]db.PoolStats `json:"pools,omitempty"`
}

func (o Ops) poolStats() PoolReport {
	r := PoolReport{Service: o.Service, Instance: o.Instance, Timestamp: time.Now().UTC(), Pool: o.poolNow()}
	if len(o.Pools) > 0 {
		r.Pools = make(map[string]db.PoolStats, len(o.Pools))
		for name, stats := range o.Pools {
			r.Pools[name] = stats()
		}
	}
	return r
}

func (o Ops) poolNow() *db.PoolStats {
	if o.Pool == nil {
		return nil
	}
	stats := o.Pool()
	return &stats
}

func isOpsPath(path string) bool {
	return path == pathHealth || path == pathLive || path == pathMetrics || path == pathPoolStats
}

// healthReporter probes at most once per healthCacheFor, whoever asks.
type healthReporter struct {
	ops  Ops
	mu   sync.Mutex
	last Health
	at   time.Time
}

func (h *healthReporter) report(ctx context.Context) Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at.IsZero() || time.Since(h.at) >= healthCacheFor {
		h.last, h.at = h.probe(ctx), time.Now()
	}
	report := h.last
	if h.ops.Ready != nil && !h.ops.Ready() { // never from the cache: a balancer must see it at once
		report.Status = StatusUnavailable
	}
	return report
}

func (h *healthReporter) probe(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	results := make([]CheckResult, len(h.ops.Checks))
	var probes sync.WaitGroup
	for i, check := range h.ops.Checks {
		probes.Go(func() { results[i] = check.Probe(ctx) })
	}
	probes.Wait()
	report := Health{
		Status: StatusOK, Service: h.ops.Service, Version: h.ops.Version, Instance: h.ops.Instance,
		Timestamp: time.Now().UTC(), Pool: h.ops.poolNow(), Checks: make([]HealthCheck, len(results)),
	}
	for i, check := range h.ops.Checks {
		line := describe(check, results[i])
		report.Checks[i] = line
		switch {
		case line.Status == StatusUnavailable:
			report.Status = StatusUnavailable
		case line.Status == StatusDegraded && report.Status == StatusOK:
			report.Status = StatusDegraded
		}
		if check.Name == databaseCheck {
			report.DatabaseLatencyMs = line.LatencyMs
		}
	}
	return report
}

func describe(check Check, result CheckResult) HealthCheck {
	line := HealthCheck{Name: check.Name, Critical: check.Critical, Status: StatusOK, Detail: result.Detail}
	if !result.OK {
		line.Status = StatusDegraded
		if check.Critical {
			line.Status = StatusUnavailable
		}
	}
	if result.Latency > 0 {
		ms := float64(result.Latency.Microseconds()) / 1e3
		line.LatencyMs = &ms
	}
	if !result.Since.IsZero() {
		since := result.Since.UTC()
		line.Since = &since
	}
	return line
}

// DatabaseCheck is the critical check of the database: it answers, and its schema is the one this program was built
// for. have reads the schema's version from the database (one round trip, see db.SchemaVersionMySQL), want is
// db.WantedVersion. A newer schema is fine: a newer replica has migrated it, and migrations stay readable for one version.
func DatabaseCheck(have func(context.Context) (int64, error), want int64) Check {
	return Check{Name: databaseCheck, Critical: true, Probe: func(ctx context.Context) CheckResult {
		start := time.Now()
		version, err := have(ctx)
		latency := time.Since(start)
		switch reason := db.Reason(err); {
		case reason != "":
			return CheckResult{Detail: reason}
		case err != nil && db.IsUnavailable(err):
			return CheckResult{Detail: "the database cannot be reached"}
		case err != nil && ctx.Err() != nil:
			return CheckResult{Detail: "the database did not answer in time"}
		case err != nil:
			return CheckResult{Detail: "the schema's version cannot be read", Latency: latency}
		case version < want:
			return CheckResult{Detail: "migrations are missing", Latency: latency}
		}
		return CheckResult{OK: true, Latency: latency}
	}}
}
