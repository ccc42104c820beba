package outbox_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/eventpb"
)

func upTo(n int64) []int64 {
	var out []int64
	for pos := int64(1); pos <= n; pos++ {
		out = append(out, pos)
	}
	return out
}

func TestCommittedEventsArePublishedInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{}
		r := start(t, "a", config(), store, bus)
		defer r.stop()
		synctest.Wait()
		if !r.Leading() {
			t.Fatal("the only replica does not lead")
		}
		before := time.Now()
		store.commit(11, "")
		r.Wake()
		time.Sleep(50 * time.Millisecond) // far less than the poll
		synctest.Wait()
		if got := bus.positions(t); !slices.Equal(got, upTo(11)) {
			t.Errorf("published %v, want 1 to 11", got)
		}
		if announced, observed := r.feed.seen(); !slices.Equal(observed, upTo(11)) || announced != 11 {
			t.Errorf("live feed got %v up to %d, want 1 to 11", observed, announced)
		}
		if _, published := store.state(); published != 11 {
			t.Errorf("published up to %d after %v, want 11", published, time.Since(before))
		}
		first := bus.messages()[0]
		if want := eventpb.Subject(store.first()); first.Subject != want || first.ID != "1" {
			t.Errorf("message on %s with id %s, want %s, 1", first.Subject, first.ID, want)
		}
	})
}

func TestForgottenWakeUpIsMadeUpForByPolling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{}
		r := start(t, "a", config(), store, bus)
		defer r.stop()
		synctest.Wait()
		store.commit(2, "")
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if got := bus.positions(t); !slices.Equal(got, upTo(2)) {
			t.Errorf("published %v, want 1, 2", got)
		}
	})
}

func TestPositionsGoOnWhileNATSIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{}
		r := start(t, "a", config(), store, bus)
		defer r.stop()
		synctest.Wait()
		bus.set(true, false)
		for range 3 {
			store.commit(5, "")
			r.Wake()
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		announced, _ := r.feed.seen()
		if left, _ := store.state(); left != 0 || announced != 15 {
			t.Errorf("%d events without position, announced up to %d; want 0 and 15", left, announced)
		}
		if n := bus.tried(); n != 0 {
			t.Errorf("%d attempts to publish into nothing", n)
		}
		bus.set(false, false)
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if got := bus.positions(t); !slices.Equal(got, upTo(15)) {
			t.Errorf("published %v, want 1 to 15", got)
		}
	})
}

func TestRefusalIsRetriedInOrderWithoutPressing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{refuse: true}
		r := start(t, "a", config(), store, bus)
		defer r.stop()
		store.commit(40, "")
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := bus.tried(); n < 10 || n > 40 {
			t.Errorf("%d attempts in a minute, want about one in 4 s after the first few", n)
		}
		bus.set(false, false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := bus.positions(t); !slices.Equal(got, upTo(40)) {
			t.Errorf("published %v, want 1 to 40", got)
		}
	})
}

func TestEventTooLargeForAMessageIsLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{}
		store.commit(1, "")
		store.commit(1, "", strings.Repeat("x", 20_000))
		store.commit(1, "")
		r := start(t, "a", config(), store, bus)
		defer r.stop()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := bus.positions(t); !slices.Equal(got, []int64{1, 3}) {
			t.Errorf("published %v, want 1, 3", got)
		}
		if _, published := store.state(); published != 3 {
			t.Errorf("published up to %d, want 3", published)
		}
	})
}

func TestStoppingLeaderBringsOutWhatIsCommittedAndHandsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{}
		first := start(t, "a", config(), store, bus)
		synctest.Wait()
		second := start(t, "b", config(), store, bus)
		defer second.stop()
		time.Sleep(10 * time.Second)
		if second.Leading() {
			t.Fatal("two leaders")
		}
		store.commit(3, "") // and no wake-up
		first.stop()
		if got := bus.positions(t); !slices.Equal(got, upTo(3)) {
			t.Errorf("published %v when stopped, want 1 to 3", got)
		}
		time.Sleep(2 * time.Second) // less than the lease's life
		synctest.Wait()
		if !second.Leading() {
			t.Fatal("the standby has not taken over")
		}
		store.commit(2, "")
		second.Wake()
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		if got := bus.positions(t); !slices.Equal(got, upTo(5)) {
			t.Errorf("published %v, want 1 to 5", got)
		}
	})
}

func TestCommitOnAnotherReplicaWakesTheLeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{}
		leader := start(t, "a", config(), store, bus)
		defer leader.stop()
		synctest.Wait()
		other := start(t, "b", config(), store, bus)
		defer other.stop()
		time.Sleep(1500 * time.Millisecond)
		store.commit(1, "")
		other.Wake()
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		if got := bus.positions(t); !slices.Equal(got, upTo(1)) {
			t.Errorf("published %v, want 1", got)
		}
	})
}

// TestEachCommitOnAnotherReplicaWakesTheLeader also where there is no pause between them.
func TestEachCommitOnAnotherReplicaWakesTheLeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{}
		cfg := config()
		cfg.AssignPause, cfg.Poll = 0, time.Hour
		leader := start(t, "a", cfg, store, bus)
		defer leader.stop()
		synctest.Wait()
		other := start(t, "b", cfg, store, bus)
		defer other.stop()
		time.Sleep(1500 * time.Millisecond)
		for n := range int64(3) {
			store.commit(1, "")
			other.Wake()
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			if got := bus.positions(t); !slices.Equal(got, upTo(n+1)) {
				t.Fatalf("published %v, want 1 to %d", got, n+1)
			}
		}
	})
}

func TestDatabaseAwayAtStartAndLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{away: true}, &fakeBus{}
		r := start(t, "a", config(), store, bus)
		defer r.stop()
		time.Sleep(time.Minute)
		store.commit(3, "")
		store.setAway(false)
		time.Sleep(3 * time.Second)
		store.setAway(true)
		store.commit(3, "")
		time.Sleep(3 * time.Second)
		store.setAway(false)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if got := bus.positions(t); !slices.Equal(got, upTo(6)) {
			t.Errorf("published %v, want 1 to 6", got)
		}
	})
}

func TestJanitorForgetsOldKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{}
		for i := range 2500 {
			store.keys = append(store.keys, time.Now().Add(-time.Duration(i)*time.Minute))
		}
		r := start(t, "a", config(), store, bus)
		defer r.stop()
		time.Sleep(time.Second)
		synctest.Wait()
		if n := store.keysLeft(); n != 24*60+1 {
			t.Errorf("%d keys are left, want those of the last 24 h", n)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := store.keysLeft(); n < 23*60 || n > 23*60+11 {
			t.Errorf("%d keys are left an hour later, want about %d", n, 23*60)
		}
	})
}

func TestBulkChangeGetsFewSpans(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{}
		const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		store.commit(100, parent)
		store.commit(1, strings.Replace(parent, "0af7", "0af8", 1))
		r := start(t, "a", config(), store, bus)
		defer r.stop()
		time.Sleep(time.Second)
		synctest.Wait()
		sampled := map[string]int{}
		for _, m := range bus.messages() {
			tp := m.Header["traceparent"]
			if strings.HasSuffix(tp, "-01") {
				sampled[tp[:35]]++
			}
		}
		if sampled[parent[:35]] != 32 || len(sampled) != 2 {
			t.Errorf("sampled messages per trace = %v, want 32 and 1", sampled)
		}
	})
}

// Whoever leads, is overtaken or stops, and whatever is away for a while: positions have no gaps, and the stream has
// every event, none before all that precede it.
func TestOrderHoldsThroughTakeOversAndFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubble{t}, func(t *rapid.T) {
			store, bus := &fakeStore{delay: time.Duration(rapid.IntRange(0, 3).Draw(t, "delay ms")) * time.Millisecond}, &fakeBus{}
			names := []string{"a", "b", "c"}
			running := map[string]*replica{}
			defer func() {
				for _, r := range running {
					r.stop()
				}
			}()
			t.Repeat(map[string]func(*rapid.T){
				"commit": func(t *rapid.T) {
					store.commit(rapid.IntRange(1, 9).Draw(t, "events"), "")
					for _, name := range names {
						if r := running[name]; r != nil && rapid.Bool().Draw(t, "wake") {
							r.Wake()
						}
					}
				},
				"start": func(t *rapid.T) {
					if name := rapid.SampledFrom(names).Draw(t, "name"); running[name] == nil {
						running[name] = start(t, name, config(), store, bus)
					}
				},
				"stop": func(t *rapid.T) {
					if name := rapid.SampledFrom(names).Draw(t, "name"); running[name] != nil {
						running[name].stop()
						delete(running, name)
					}
				},
				"overtake": func(*rapid.T) { store.steal() },
				"database": func(t *rapid.T) { store.setAway(rapid.Bool().Draw(t, "away")) },
				"NATS":     func(t *rapid.T) { bus.set(rapid.Bool().Draw(t, "away"), rapid.Bool().Draw(t, "refuse")) },
				"time":     func(t *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond) },
			})
			store.setAway(false)
			bus.set(false, false)
			if len(running) == 0 {
				running["a"] = start(t, "a", config(), store, bus)
			}
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			total := store.committed()
			if left, published := store.state(); left != 0 || published != total {
				t.Fatalf("%d events without position, published up to %d of %d", left, published, total)
			}
			var highest int64
			for _, pos := range bus.positions(t) {
				if pos > highest+1 {
					t.Fatalf("position %d was published before %d: %v", pos, highest+1, bus.positions(t))
				}
				highest = max(highest, pos)
			}
			if highest != total {
				t.Fatalf("published up to %d of %d", highest, total)
			}
		})
	})
}

// bubble hides the test's deadline, which must not be asked for in a synctest bubble.
type bubble struct{ rapid.TB }

func TestSignalsOfTheRelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, bus := &fakeStore{}, &fakeBus{away: true}
		reader := sdkmetric.NewManualReader()
		tel := telemetry.Nop()
		tel.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
		r := startWith(t, "a", config(), store, bus, tel)
		defer r.stop()
		synctest.Wait()
		if got := measured(t, reader); got["tallyboard.relay.published"] != 0 || got["tallyboard.relay.takeovers"] != 1 || got["tallyboard.relay.leader"] != 1 {
			t.Errorf("at the start %v", got)
		}
		store.commit(3, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		recorded := store.first().Recorded
		r.Wake()
		time.Sleep(30 * time.Second)
		bus.set(false, false)
		time.Sleep(10 * time.Second)
		got := measured(t, reader)
		if got["tallyboard.relay.published"] != 3 || got["tallyboard.relay.publish.delay count"] != 3 {
			t.Errorf("published %v", got)
		}
		if mean := got["tallyboard.relay.publish.delay"] / 3; mean < 30 || mean > 32 { // all the while that NATS was away
			t.Errorf("publishing took %v s", mean)
		}
		for _, m := range bus.messages() { // by which the bus decides whether a trace is continued, and what its span says
			if !m.Time.Equal(recorded) || m.Header["traceparent"] == "" || len(m.Attributes) == 0 {
				t.Errorf("message of %v with %v and %v", m.Time, m.Header, m.Attributes)
			}
		}
		if s := r.Status(); !s.Leading || !s.Known || s.Given != 3 || s.Published != 3 || s.Sent != 3 || s.Takeovers != 1 || s.Unpositioned != 0 || s.OldestAge != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

// measured returns the sums of counters and histograms, the counts of the latter, and gauges.
func measured(t *testing.T, reader *sdkmetric.ManualReader) map[string]float64 {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, m := range rm.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			out[m.Name] = float64(data.DataPoints[0].Value)
		case metricdata.Gauge[int64]:
			out[m.Name] = float64(data.DataPoints[0].Value)
		case metricdata.Histogram[float64]:
			out[m.Name], out[m.Name+" count"] = data.DataPoints[0].Sum, float64(data.DataPoints[0].Count)
		}
	}
	return out
}
