package composetest

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ledger is what clients were promised: every acknowledged write, and when none was acknowledged.
type ledger struct {
	mu       sync.Mutex
	created  map[string]string // title as created → id
	titles   map[string]string // id → title after the last acknowledged change
	versions map[string]int64  // id → version of that answer
	acks     int
	retries  int // requests that a client had to send again
	failures []string
	last     time.Time
	longest  time.Duration // between two acknowledged writes
}

func newLedger() *ledger {
	return &ledger{created: map[string]string{}, titles: map[string]string{}, versions: map[string]int64{}, last: time.Now()}
}

// acknowledge records an answer to a create or a change.
func (l *ledger) acknowledge(madeAs string, t task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.longest, l.last = max(l.longest, now.Sub(l.last)), now
	l.acks++
	if madeAs != "" {
		if before, twice := l.created[madeAs]; twice && before != t.ID {
			l.failures = append(l.failures, fmt.Sprintf("%q was acknowledged as %s and as %s", madeAs, before, t.ID))
		}
		l.created[madeAs] = t.ID
	}
	if t.Version >= l.versions[t.ID] {
		l.titles[t.ID], l.versions[t.ID] = t.Title, t.Version
	}
}

func (l *ledger) retry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retries++
}

// failuref records an answer that no client should see.
func (l *ledger) failuref(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, fmt.Sprintf(format, args...))
}

// maxListed is the number of violations that are named; the rest is counted.
const maxListed = 5

// compare holds the promises against the tasks that are there. Tasks that nobody was promised may be there once: their
// answer was lost on its way.
func (l *ledger) compare(present []task) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var wrong []string
	byID, byNumber := map[string]task{}, map[string]string{}
	for _, t := range present {
		if _, twice := byID[t.ID]; twice {
			wrong = append(wrong, fmt.Sprintf("%s is listed twice", t.Key))
		}
		if other, twice := byNumber[t.Key]; twice {
			wrong = append(wrong, fmt.Sprintf("%s is the number of %s and %s", t.Key, other, t.ID))
		}
		byID[t.ID], byNumber[t.Key] = t, t.ID
	}
	for title, id := range l.created {
		if _, there := byID[id]; !there {
			wrong = append(wrong, fmt.Sprintf("%q was acknowledged as %s and is gone", title, id))
		}
	}
	for id, title := range l.titles {
		t, there := byID[id]
		switch {
		case !there: // said above
		case t.Version < l.versions[id]:
			wrong = append(wrong, fmt.Sprintf("%s was acknowledged in version %d and is at %d", t.Key, l.versions[id], t.Version))
		case t.Version == l.versions[id] && t.Title != title:
			wrong = append(wrong, fmt.Sprintf("%s was acknowledged as %q and is %q", t.Key, title, t.Title))
		}
	}
	wrong = append(wrong, l.doubled(present)...)
	if len(wrong) == 0 {
		return nil
	}
	if len(wrong) > maxListed {
		wrong = append(wrong[:maxListed], fmt.Sprintf("and %d more", len(wrong)-maxListed))
	}
	errs := make([]error, len(wrong))
	for i, text := range wrong {
		errs[i] = errors.New(text)
	}
	return errors.Join(errs...)
}

// doubled finds writes that were made twice: tasks carry the name they were created with in front of their title.
func (l *ledger) doubled(present []task) (wrong []string) {
	made := map[string]string{}
	for _, t := range present {
		name := createdAs(t.Title)
		if other, twice := made[name]; twice {
			wrong = append(wrong, fmt.Sprintf("%q was made twice, as %s and %s", name, other, t.Key))
		}
		made[name] = t.Key
	}
	return wrong
}

// summary tells about the load in one line.
func (l *ledger) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d acknowledged writes, %d sent again by clients, longest pause %.1f s", l.acks, l.retries, l.longest.Seconds())
}

// failed returns the answers that no client should have seen.
func (l *ledger) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) == 0 {
		return nil
	}
	return fmt.Errorf("%d, first: %s", len(l.failures), l.failures[0])
}
