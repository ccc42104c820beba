package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// degree is one replica of task-service that differs from the others in how much it traces.
type degree struct {
	name   string
	env    []string
	target float64 // of its processor time per request against none; 0: it is the base
	svc    *service
	client *client
	cpu    []float64 // microseconds per request, one a round
	sent   []float64 // bytes of traces exported per request, one a round
}

// tracing measures what traces cost: the processor time of task-service for one request, a get by key, without an
// exporter, with one trace in a hundred recorded and exported, and with all of them.
func (b *bench) tracing(ctx context.Context, project string, tasks int64) (err error) {
	sink, err := startSink(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.close()) }()
	export := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + sink.addr, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_METRICS_EXPORTER=none"}
	degrees := []*degree{
		{name: "none", env: []string{"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none"}},
		{name: "1 %", env: append([]string{"TRACE_SAMPLE_RATIO=0.01"}, export...), target: 1.25},
		{name: "100 %", env: append([]string{"TRACE_SAMPLE_RATIO=1"}, export...), target: 1.8},
	}
	for _, d := range degrees {
		d.svc, err = startService(ctx, "task-service", filepath.Join(b.cfg.BinDir, "task-service"), append(b.env, d.env...), b.logs)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.svc.stop()) }()
		d.client = newClient(d.svc.addr, b.cfg.Clients, project)
		d.client.total = tasks
	}
	for range b.cfg.Rounds {
		for _, d := range degrees {
			if err := d.round(ctx, b.cfg, sink); err != nil {
				return fmt.Errorf("cost of tracing %s: %w", d.name, err)
			}
		}
	}
	if all := degrees[len(degrees)-1]; median(all.sent) == 0 {
		return errors.New("cost of tracing: no trace was exported, so nothing was measured")
	}
	b.reportTracing(degrees)
	return nil
}

// round measures one span of requests.
func (d *degree) round(ctx context.Context, cfg Config, s *sink) error {
	before, err := cpuTime(d.svc.pid)
	if err != nil {
		return err
	}
	sent := s.received.Load()
	began := time.Now()
	res, err := drive(ctx, cfg.Clients, cfg.WarmUp, cfg.Span, d.client.get)
	if err != nil {
		return err
	}
	after, err := cpuTime(d.svc.pid)
	if err != nil {
		return err
	}
	requests := res.Rate * time.Since(began).Seconds() // processor time includes the warm-up
	d.cpu = append(d.cpu, float64((after-before).Microseconds())/requests)
	d.sent = append(d.sent, float64(s.received.Load()-sent)/requests)
	return nil
}

func (b *bench) reportTracing(degrees []*degree) {
	fmt.Fprint(b.out, "\n| traces recorded | service µs/request | ratio | target | exported bytes/request |\n|---|---|---|---|---|\n")
	for _, d := range degrees {
		ratios := make([]float64, len(d.cpu))
		for i := range d.cpu {
			ratios[i] = d.cpu[i] / degrees[0].cpu[i]
		}
		target := "-"
		if d.target > 0 {
			target = fmt.Sprintf("≤ %.2f", d.target)
		}
		fmt.Fprintf(b.out, "| %s | %.0f | %.2f | %s | %.0f |\n", d.name, median(d.cpu), median(ratios), target, median(d.sent))
	}
}

// sink takes what services export and throws it away, as the near end of a collector would.
type sink struct {
	addr     string
	received atomic.Int64 // bytes of traces
	server   *http.Server
}

func startSink(ctx context.Context) (*sink, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sink for traces: %w", err)
	}
	s := &sink{addr: l.Addr().String()}
	s.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/v1/traces") {
			s.received.Add(n)
		}
		w.Header().Set("Content-Type", "application/x-protobuf") // an empty answer is an empty message: all was taken
	})}
	go s.server.Serve(l) //nolint:errcheck // it ends by close, and with an error the run fails for want of exports
	return s, nil
}

func (s *sink) close() error { return s.server.Close() }
