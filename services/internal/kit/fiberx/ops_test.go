package fiberx

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

func check(name string, critical bool, result CheckResult) Check {
	return Check{Name: name, Critical: critical, Probe: func(context.Context) CheckResult { return result }}
}

func health(t *testing.T, ops Ops) (int, Health) {
	t.Helper()
	app, _ := newApp(Config{})
	MountOps(app, ops)
	a := send(t, app, http.MethodGet, "/health", "")
	var h Health
	if err := json.Unmarshal([]byte(a.body), &h); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return a.StatusCode, h
}

func TestHealthStatus(t *testing.T) {
	t.Parallel()
	up, down := CheckResult{OK: true, Latency: 1500 * time.Microsecond}, CheckResult{Detail: "away", Since: time.Now()}
	for name, c := range map[string]struct {
		ops    Ops
		code   int
		status string
	}{
		"all well":         {Ops{Checks: []Check{check("database", true, up), check("nats", false, up)}}, 200, StatusOK},
		"optional down":    {Ops{Checks: []Check{check("database", true, up), check("nats", false, down)}}, 200, StatusDegraded},
		"critical down":    {Ops{Checks: []Check{check("database", true, down), check("nats", false, up)}}, 503, StatusUnavailable},
		"both down":        {Ops{Checks: []Check{check("database", true, down), check("nats", false, down)}}, 503, StatusUnavailable},
		"not ready":        {Ops{Ready: func() bool { return false }}, 503, StatusUnavailable},
		"nothing to check": {Ops{}, 200, StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.ops.Service, c.ops.Version, c.ops.Instance = "task-service", "1.2.3", "a"
			c.ops.Pool = func() db.PoolStats { return db.PoolStats{Engine: "mysql", Max: 5} }
			code, h := health(t, c.ops)
			if code != c.code || h.Status != c.status {
				t.Fatalf("got %d %+v", code, h)
			}
			if h.Service != "task-service" || h.Version != "1.2.3" || h.Instance != "a" || h.Pool.Max != 5 || time.Since(h.Timestamp) > time.Minute {
				t.Errorf("got %+v", h)
			}
			if name == "all well" && (h.DatabaseLatencyMs == nil || *h.DatabaseLatencyMs != 1.5) {
				t.Errorf("latency %v", h.DatabaseLatencyMs)
			}
		})
	}
}

func TestHealthIsProbedRarelyButReadinessIsNow(t *testing.T) {
	t.Parallel()
	var probes atomic.Int32
	var ready atomic.Bool
	ready.Store(true)
	app, _ := newApp(Config{})
	MountOps(app, Ops{Ready: ready.Load, Checks: []Check{{Name: "database", Critical: true, Probe: func(context.Context) CheckResult {
		probes.Add(1)
		return CheckResult{OK: true}
	}}}})
	start := time.Now()
	for range 20 {
		send(t, app, http.MethodGet, "/health", "")
	}
	if most := int32(time.Since(start)/healthCacheFor) + 1; probes.Load() > most {
		t.Errorf("%d probes, at most %d wanted", probes.Load(), most)
	}
	ready.Store(false)
	if a := send(t, app, http.MethodGet, "/health", ""); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Errorf("not ready: %d", a.StatusCode)
	}
	if a := send(t, app, http.MethodGet, "/livez", ""); a.StatusCode != http.StatusOK {
		t.Errorf("livez: %d", a.StatusCode)
	}
}

func TestDatabaseCheckExplains(t *testing.T) {
	t.Parallel()
	version := func(v int64, err error) func(context.Context) (int64, error) {
		return func(context.Context) (int64, error) { return v, err }
	}
	for detail, have := range map[string]func(context.Context) (int64, error){
		"":                                    version(7, nil),
		"migrations are missing":              version(6, nil),
		"the database cannot be reached":      version(0, apperr.New(apperr.Unavailable, "away")),
		"the schema's version cannot be read": version(0, context.Canceled),
	} {
		if got := DatabaseCheck(have, 7).Probe(t.Context()); got.Detail != detail || got.OK != (detail == "") {
			t.Errorf("%q: %+v", detail, got)
		}
	}
	if got := DatabaseCheck(version(8, nil), 7).Probe(t.Context()); !got.OK {
		t.Errorf("a newer schema: %+v", got)
	}
}

func TestMetricsAndPoolStats(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{ServiceName: "task-service", SampleRatio: 1, LogWriter: &logBuffer{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tel.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	app := New(Config{}, tel.Logger(), tel)
	MountOps(app, Ops{
		Service: "task-service", Instance: "a", Metrics: tel.MetricsHandler(),
		Pool:  func() db.PoolStats { return db.PoolStats{Engine: "postgres", Max: 5, InUse: 1} },
		Pools: map[string]func() db.PoolStats{"relay": func() db.PoolStats { return db.PoolStats{Max: 2} }},
	})
	send(t, app, http.MethodGet, "/livez", "")
	a := send(t, app, http.MethodGet, "/metrics", "", "Accept", "application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "application/openmetrics-text") ||
		!strings.Contains(a.body, "http_server_request_duration_seconds_count") || !strings.Contains(a.body, `http_route="/livez"`) {
		t.Errorf("metrics %q:\n%.600s", a.Header.Get("Content-Type"), a.body)
	}
	var report PoolReport
	a = send(t, app, http.MethodGet, "/pool-stats", "")
	if err := json.Unmarshal([]byte(a.body), &report); err != nil {
		t.Fatal(err)
	}
	if report.Service != "task-service" || report.Pool.InUse != 1 || report.Pools["relay"].Max != 2 {
		t.Errorf("pool stats %s", a.body)
	}
}
