package composetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// probeImage has a shell and curl, and is in the stack anyway.
const probeImage = "nginx:1.30-otel"

// way is a connection that must be possible, or must not.
type way struct {
	from, to string // services
	port     string
	open     bool
}

// ways are who may reach whom. Each closed one has an open one to the same port, so that a probe that never works shows.
var ways = []way{
	{"edge", "task-service", "8080", true},
	{"edge", "stats-service", "8081", true},
	{"edge", "otel-collector", "4317", true},
	{"edge", "otel-collector", "4319", true},
	{"edge", "mysql", "3306", false},
	{"edge", "nats", "4222", false},
	{"edge", "jaeger", "16686", false},
	{"edge", "prometheus", "9090", false},
	{"task-service", "mysql", "3306", true},
	{"task-service", "nats", "4222", true},
	{"task-service", "otel-collector", "4318", true},
	{"task-service", "nats", "8222", false},
	{"task-service", "jaeger", "16686", true}, // reads traces …
	{"task-service", "jaeger", "4317", false}, // … and writes none past the collector
	{"task-service", "prometheus", "9090", false},
	{"stats-service", "mysql", "3306", true},
	{"stats-service", "nats", "4222", true},
	{"stats-service", "jaeger", "16686", false},
	{"otel-collector", "jaeger", "4317", true},
	{"otel-collector", "mysql", "3306", false},
	{"otel-collector", "nats", "4222", false},
	{"prometheus", "otel-collector", "8889", true},
	{"prometheus", "jaeger", "16686", true},
	{"prometheus", "task-service", "8080", false},
	{"jaeger", "mysql", "3306", false},
	{"jaeger", "nats", "4222", false},
	{"jaeger", "stats-service", "8081", false},
	{"mysql", "edge", "8080", false},
	{"nats", "edge", "8080", false},
}

// enclosed are the services that must not reach beyond the stack.
var enclosed = []string{"task-service", "stats-service", "mysql", "nats", "otel-collector"}

// checkNetworks tries every way from within the network of the container it begins at.
func (s *stack) checkNetworks(ctx context.Context) error {
	list, err := s.containers(ctx, false)
	if err != nil {
		return err
	}
	byService := map[string]container{}
	for _, c := range list {
		byService[c.service()] = c
	}
	byOrigin := map[string][]way{}
	for _, w := range ways {
		byOrigin[w.from] = append(byOrigin[w.from], w)
	}
	for origin, ways := range byOrigin {
		if err := s.checkWays(ctx, origin, ways, byService); err != nil {
			return err
		}
	}
	for _, service := range []string{"mysql", "nats", "task-service", "stats-service", "otel-collector"} {
		published := 0
		for _, bindings := range byService[service].NetworkSettings.Ports {
			published += len(bindings)
		}
		s.report.check(service+" has no port on this machine", holds(published == 0, "%d", published))
	}
	for _, bindings := range byService["edge"].NetworkSettings.Ports {
		for _, b := range bindings {
			s.report.check("the edge listens on this machine only, unless told otherwise", holds(b.HostIP == "127.0.0.1", "%s", b.HostIP))
		}
	}
	return nil
}

// checkWays tries the ways of one origin in one container that shares its network. A name that cannot be resolved there is
// no protection, so closed ways are tried by address as well.
func (s *stack) checkWays(ctx context.Context, origin string, ways []way, byService map[string]container) error {
	var script strings.Builder
	script.WriteString("try() { if timeout 2 bash -c \"</dev/tcp/$1/$2\" 2>/dev/null; then echo open; else echo closed; fi; }\n")
	for _, w := range ways {
		fmt.Fprintf(&script, "echo %s %s name $(try %s %s) &\n", w.to, w.port, w.to, w.port)
		if w.open {
			continue
		}
		for network, endpoint := range byService[w.to].NetworkSettings.Networks {
			fmt.Fprintf(&script, "echo %s %s %s $(try %s %s) &\n", w.to, w.port, network, endpoint.IPAddress, w.port)
		}
	}
	script.WriteString("echo default routes - $(awk '$2 == \"00000000\"' /proc/net/route | wc -l)\nwait\n")
	out, err := s.command(ctx, "docker", "run", "--rm", "--network", "container:"+byService[origin].ID, "--cap-drop", "ALL",
		"--entrypoint", "bash", probeImage, "-c", script.String())
	if err != nil {
		return fmt.Errorf("probe from %s: %w", origin, err)
	}
	found := map[string]string{}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 4 && found[f[0]+" "+f[1]] != "open" { // one open way is enough
			found[f[0]+" "+f[1]] = f[3]
		}
	}
	for _, w := range ways {
		got := found[w.to+" "+w.port]
		if w.open {
			s.report.check(fmt.Sprintf("%s reaches %s:%s", w.from, w.to, w.port), holds(got == "open", "%s", got))
		} else {
			s.report.check(fmt.Sprintf("%s cannot reach %s:%s", w.from, w.to, w.port), holds(got == "closed", "%s", got))
		}
	}
	if slices.Contains(enclosed, origin) {
		routes := found["default routes"]
		s.report.check(origin+" has no way out of the stack", holds(routes == "0", "it has %s default routes", routes))
	}
	return nil
}
