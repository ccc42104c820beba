package composetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kinds and the status of spans in OTLP.
const (
	kindInternal = 1
	kindServer   = 2
	kindClient   = 3
	kindProducer = 4
	statusError  = 2
)

// sampled is a trace of one span or two, and whether the collector must keep it when it keeps no share of the rest.
type sampled struct {
	what     string
	browser  bool // sent to the receiver of browsers
	served   bool // with a fast request that a service answered
	linked   bool // with a link to another trace
	kind     int
	duration time.Duration
	age      time.Duration // since its end
	failed   bool
	kept     bool
}

// samples are the cases of tail sampling. Each becomes a trace whose id is made of the digits of its place.
var samples = []sampled{
	{what: "a fast read", kind: kindServer, duration: 10 * time.Millisecond},
	{what: "a failed request", kind: kindServer, duration: 10 * time.Millisecond, failed: true, kept: true},
	{what: "a slow request", kind: kindServer, duration: 300 * time.Millisecond, kept: true},
	{what: "a change", kind: kindProducer, duration: time.Millisecond, kept: true},
	{what: "a slow call, on time for whoever asked", kind: kindClient, duration: 300 * time.Millisecond},
	{what: "a browser's action", browser: true, kind: kindInternal, duration: 400 * time.Millisecond},
	{what: "a browser's failure", browser: true, kind: kindInternal, duration: 400 * time.Millisecond, failed: true, kept: true},
	{what: "a browser's claim to be a slow server", browser: true, kind: kindServer, duration: 500 * time.Millisecond},
	{what: "a long action that reached a service", browser: true, served: true, kind: kindInternal, duration: 1500 * time.Millisecond, kept: true},
	{what: "a long action that only a browser tells of", browser: true, kind: kindInternal, duration: 1500 * time.Millisecond},
	{what: "a browser's failure with a link", browser: true, linked: true, kind: kindInternal, duration: time.Second, failed: true},
	{what: "a browser whose clock is hours late", browser: true, kind: kindInternal, duration: time.Second, age: 3 * time.Hour, failed: true},
}

// personalAttributes must not pass the collector, whoever sends them.
var personalAttributes = []string{"client.address", "user_agent.original", "http.request.header.cookie", "net.sock.peer.addr", "enduser.id", "url.query"}

// checkCollector starts a collector with the stack's configuration and without any share of the rest, and asserts which
// traces it keeps, and of what.
func (s *stack) checkCollector(ctx context.Context) error {
	name := s.cfg.Project + "-sampling"
	image, err := s.collectorImage(ctx)
	if err != nil {
		return err
	}
	_, err = s.command(ctx, "docker", "run", "--detach", "--name", name, "--publish", "127.0.0.1::4318", "--publish", "127.0.0.1::4319",
		"--env", "TAIL_SAMPLE_PERCENT=0", "--volume", filepath.Join(s.cfg.Dir, "deploy", "otel")+":/etc/tallyboard:ro", image,
		"--config", "/etc/tallyboard/collector.yaml", "--config", "/etc/tallyboard/collector-local.yaml", "--config",
		"yaml:{exporters: {debug: {verbosity: detailed}}, service: {telemetry: {logs: {level: info}}, pipelines: {traces: {exporters: [debug]}}}}")
	if err != nil {
		return err
	}
	defer func() {
		if _, err := s.command(context.WithoutCancel(ctx), "docker", "rm", "--force", name); err != nil {
			s.report.notef("%s could not be removed: %v", name, err)
		}
	}()
	services, browsers, err := s.collectorPorts(ctx, name)
	if err != nil {
		return err
	}
	for i, sample := range samples {
		base := services
		if sample.browser {
			base = browsers
		}
		if err := s.sendSample(ctx, base, sampleID(i), sample); err != nil {
			return err
		}
		if sample.served {
			if err := s.sendSample(ctx, services, sampleID(i), samples[0]); err != nil {
				return err
			}
		}
	}
	var said string
	err = eventually(ctx, 20*time.Second, func() error { // the last that is kept decides when all have been decided on
		said, err = s.command(ctx, "sh", "-c", "docker logs "+name+" 2>&1")
		return errors.Join(err, keptAll(said))
	})
	s.report.check("tail sampling keeps failures, slow requests and changes", err)
	for i, sample := range samples {
		if !sample.kept {
			s.report.check("tail sampling drops "+sample.what, holds(!strings.Contains(said, sampleID(i)), "it was kept"))
		}
	}
	var leaked []string
	for _, attribute := range personalAttributes {
		if strings.Contains(said, attribute) {
			leaked = append(leaked, attribute)
		}
	}
	s.report.check("nothing personal passes the collector", holds(len(leaked) == 0 && !strings.Contains(said, "zqprivate"), "%v in: %.600s", leaked, said))
	return nil
}

// keptAll returns an error unless the collector's output has every trace that it must keep.
func keptAll(said string) error {
	for i, sample := range samples {
		if sample.kept && !strings.Contains(said, sampleID(i)) {
			return fmt.Errorf("%s was dropped", sample.what)
		}
	}
	return nil
}

func sampleID(i int) string { return strings.Repeat(fmt.Sprintf("%02x", 0xa0+i), 16) }

// sendSample posts one span, with attributes that must not pass.
func (s *stack) sendSample(ctx context.Context, base, id string, sample sampled) error {
	end := time.Now().Add(-sample.age)
	attributes := []any{map[string]any{"key": "url.full", "value": map[string]string{"stringValue": "http://localhost/tasks?q=zqprivate"}}}
	for _, name := range personalAttributes {
		attributes = append(attributes, map[string]any{"key": name, "value": map[string]string{"stringValue": "zqprivate"}})
	}
	span := map[string]any{
		"traceId": id, "spanId": id[:16], "name": "sample", "kind": sample.kind, "attributes": attributes,
		"startTimeUnixNano": strconv.FormatInt(end.Add(-sample.duration).UnixNano(), 10), "endTimeUnixNano": strconv.FormatInt(end.UnixNano(), 10),
	}
	if sample.failed {
		span["status"] = map[string]any{"code": statusError}
	}
	if sample.linked {
		span["links"] = []any{map[string]string{"traceId": sampleID(0), "spanId": sampleID(0)[:16]}}
	}
	service := map[string]any{"attributes": []any{map[string]any{"key": "service.name", "value": map[string]string{"stringValue": "task-service"}}}}
	body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{"resource": service, "scopeSpans": []any{map[string]any{"spans": []any{span}}}}}})
	if err != nil {
		return fmt.Errorf("write OTLP: %w", err)
	}
	a, err := s.callAt(ctx, base, http.MethodPost, "/v1/traces", string(body))
	return errors.Join(err, a.is(http.StatusOK))
}

// collectorImage returns the image of the stack's collector.
func (s *stack) collectorImage(ctx context.Context) (string, error) {
	out, err := s.compose(ctx, "config", "--images")
	if err != nil {
		return "", err
	}
	images := strings.Fields(out)
	i := slices.IndexFunc(images, func(image string) bool { return strings.Contains(image, "opentelemetry-collector") })
	if i < 0 {
		return "", fmt.Errorf("no image of a collector in %v", images)
	}
	return images[i], nil
}

// portLine is a line of `docker port`.
var portLine = regexp.MustCompile(`(?m)^(\d+)/tcp -> 127\.0\.0\.1:(\d+)$`)

// collectorPorts returns the addresses of a collector's receivers once both answer.
func (s *stack) collectorPorts(ctx context.Context, name string) (services, browsers string, err error) {
	out, err := s.command(ctx, "docker", "port", name)
	if err != nil {
		return "", "", err
	}
	at := map[string]string{}
	for _, match := range portLine.FindAllStringSubmatch(out, -1) {
		at[match[1]] = "http://127.0.0.1:" + match[2]
	}
	services, browsers = at["4318"], at["4319"]
	err = eventually(ctx, 20*time.Second, func() error {
		for _, base := range []string{services, browsers} {
			a, err := s.callAt(ctx, base, http.MethodPost, "/v1/traces", `{}`)
			if err := errors.Join(err, a.is(http.StatusOK)); err != nil {
				return err
			}
		}
		return nil
	})
	return services, browsers, err
}
