package opstatus

import (
	"runtime/metrics"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
)

// Names of what the Go runtime measures without stopping the program.
const (
	metricGoroutines = "/sched/goroutines:goroutines"
	metricHeap       = "/memory/classes/heap/objects:bytes"
)

// Self is the part of a Status that every service has, as of now.
func Self(service, instance, version string, started time.Time, bus *jsbus.Bus) Status {
	samples := []metrics.Sample{{Name: metricGoroutines}, {Name: metricHeap}}
	metrics.Read(samples)
	s := Status{Service: service, Instance: instance, Version: version, StartedAt: started.UTC(), NATS: NATSAway, Pools: []Pool{}, Routes: []Route{}}
	if bus.Connected() {
		s.NATS = NATSConnected
	}
	if v := samples[0].Value; v.Kind() == metrics.KindUint64 {
		s.Goroutines = int(v.Uint64())
	}
	if v := samples[1].Value; v.Kind() == metrics.KindUint64 {
		s.HeapBytes = v.Uint64()
	}
	return s
}
