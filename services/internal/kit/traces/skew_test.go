package traces

import (
	"testing"
	"time"
)

// shifted moves a span.
func shifted(s sp, by int) sp {
	s.from, s.to = s.from+by, s.to+by
	return s
}

// fetch is a browser's action with one request, right in time.
func fetch() []sp {
	return []sp{
		{trace: "t", id: "ui", service: "browser", from: 0, to: 60},
		{trace: "t", id: "fetch", parent: "ui", service: "browser", kind: Client, from: 2, to: 58},
		{trace: "t", id: "serve", parent: "fetch", service: "edge", kind: Server, from: 10, to: 50},
		{trace: "t", id: "task", parent: "serve", service: "task-service", kind: Server, from: 12, to: 49},
	}
}

func TestClocks(t *testing.T) {
	t.Parallel()
	const minute = 60_000
	late := func(by int, spans []sp) []sp {
		for i, s := range spans {
			if s.service == "browser" {
				spans[i] = shifted(s, by)
			}
		}
		return spans
	}
	cases := []struct {
		name  string
		spans []sp
		want  map[string]int // adjustment in ms by span; all others 0
	}{
		{"right", fetch(), nil},
		{"a little off, and yet possible", late(5, fetch()), nil},
		{"behind by a minute", late(-minute, fetch()), map[string]int{"ui": minute, "fetch": minute}},
		{"ahead by a year", late(365*24*60*minute, fetch()), map[string]int{"ui": -365 * 24 * 60 * minute, "fetch": -365 * 24 * 60 * minute}},
		{
			"two requests: what fits both", late(-minute, append(fetch(),
				sp{trace: "t", id: "next", parent: "ui", service: "browser", kind: Client, from: 58, to: 60},
				sp{trace: "t", id: "more", parent: "next", service: "edge", kind: Server, from: 58, to: 60})),
			map[string]int{"ui": minute, "fetch": minute, "next": minute},
		},
		{
			"another browser has another clock", append(late(-minute, fetch()),
				sp{trace: "t", id: "deliver", parent: "task", service: "task-service", kind: Consumer, from: 70, to: 72},
				sp{trace: "t", id: "shown", parent: "deliver", service: "browser", kind: Consumer, from: 20, to: 25}),
			map[string]int{"ui": minute, "fetch": minute, "shown": 50},
		},
		{
			"a message may be read late", append(fetch(),
				sp{trace: "t", id: "process", parent: "task", service: "stats-service", kind: Consumer, from: minute, to: minute + 5}), nil,
		},
		{
			"a service behind", append(fetch(), sp{trace: "t", id: "process", parent: "task", service: "stats-service", kind: Consumer, from: -300, to: -290}),
			map[string]int{"process": 312},
		},
		{
			"the caller gave up", []sp{
				{trace: "t", id: "fetch", service: "browser", kind: Client, from: 0, to: 10},
				{trace: "t", id: "serve", parent: "fetch", service: "edge", kind: Server, from: 4, to: 90},
			}, nil,
		},
		{
			"a browser's spans that hang on nothing, far away", append(fetch(),
				sp{trace: "t", id: "lost", parent: "gone", service: "browser", from: 20 * minute, to: 20*minute + 5}),
			map[string]int{"lost": -20 * minute},
		},
		{
			"a browser's spans that hang on nothing, near", append(fetch(),
				sp{trace: "t", id: "lost", parent: "gone", service: "browser", from: minute, to: minute + 5}), nil,
		},
		{"browsers alone", fetch()[:2], nil},
	}
	for _, c := range cases {
		trace := assembled(t, spansOf(t, c.spans...))
		for _, s := range c.spans {
			got := find(t, trace, s.id)
			if want := ms(c.want[s.id]); got.Adjusted != want || !got.Start.Equal(origin.Add(ms(s.from)+want)) {
				t.Errorf("%s: %s is moved by %v to %v, want by %v", c.name, s.id, got.Adjusted, got.Start, want)
			}
		}
	}
}

func TestEventsMoveWithTheirSpan(t *testing.T) {
	t.Parallel()
	spans := spansOf(t,
		sp{trace: "t", id: "put", service: "task-service", kind: Producer, from: 100, to: 101},
		sp{trace: "t", id: "take", parent: "put", service: "stats-service", kind: Consumer, from: 0, to: 10, events: []string{"retry"}})
	before := spans[1].Events
	trace := assembled(t, spans)
	if got := find(t, trace, "take").Events[0].Time; !got.Equal(origin.Add(ms(110))) {
		t.Errorf("the event is at %v", got)
	}
	if !before[0].Time.Equal(origin.Add(ms(10))) {
		t.Error("the source's own events were moved")
	}
}

func TestTimesAtTheEndsOfTheirRange(t *testing.T) {
	t.Parallel()
	spans := spansOf(t, fetch()...)
	spans[0].Start, spans[1].Start = time.Unix(0, 0), time.Unix(0, 1<<63-1)
	trace := assembled(t, spans)
	if len(trace.Spans) != 4 {
		t.Errorf("%d spans", len(trace.Spans))
	}
}
