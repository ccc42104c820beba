package live

import "github.com/tallyboard/tallyboard/services/task-service/internal/history"

// eventOverhead is what an event takes in memory beside its values, in bytes; an estimate.
const eventOverhead = 320

// topic is a project somebody watches.
type topic struct {
	// base is the position behind which recent is complete: it holds all events of the project from there to the cursor.
	base   int64
	recent []history.Event
	subs   map[*Subscription]struct{}
	// deliveries are the traced events that are on their way to subs, in order of position.
	deliveries []*delivery
}

// wake tells all subscribers of the topic that there is something for them.
func (t *topic) wake() {
	for s := range t.subs {
		s.wake()
	}
}

// after returns up to limit events behind pos; pos must not be before base.
func (t *topic) after(pos int64, limit int) []history.Event {
	i := len(t.recent)
	for i > 0 && t.recent[i-1].Pos > pos {
		i--
	}
	found := t.recent[i:]
	if len(found) > limit {
		found = found[:limit]
	}
	return append([]history.Event(nil), found...)
}

// window bounds what all topics together hold. Events arrive in order of position, so the oldest of all is always the
// oldest of its topic.
type window struct {
	maxEvents, maxBytes int
	bytes               int
	order               []entry
}

type entry struct {
	topic *topic
	pos   int64
	size  int
}

func (w *window) add(t *topic, e history.Event) {
	size := eventOverhead
	for _, c := range e.Changes {
		size += len(c.Field) + len(c.Before) + len(c.After)
	}
	t.recent = append(t.recent, e)
	w.order = append(w.order, entry{t, e.Pos, size})
	w.bytes += size
	for len(w.order) > 0 && (len(w.order) > w.maxEvents || w.bytes > w.maxBytes) {
		w.evict()
	}
}

func (w *window) evict() {
	oldest := w.order[0]
	w.order[0] = entry{} // the array outlives the slice's start: let the topic go
	w.order = w.order[1:]
	w.bytes -= oldest.size
	if t := oldest.topic; len(t.recent) > 0 && t.recent[0].Pos == oldest.pos {
		t.recent[0] = history.Event{}
		t.recent = t.recent[1:]
		t.base = oldest.pos
	}
}

// drop forgets what a topic holds, now that nobody watches it.
func (w *window) drop(t *topic) {
	t.recent = nil
	kept := w.order[:0]
	for _, e := range w.order {
		if e.topic == t {
			w.bytes -= e.size
			continue
		}
		kept = append(kept, e)
	}
	clear(w.order[len(kept):])
	w.order = kept
}
