package account

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Directory answers who exists from memory. People are never removed, so that somebody found in it exists; for somebody
// not found, and for what may have changed (handles and names), it reads again.
type Directory struct {
	load func(ctx context.Context) ([]Person, error)

	mu     sync.Mutex
	loaded time.Time
	ids    map[uuid.UUID]bool
	people []Person
}

// DirectoryTTL is how long handles and names are believed without reading again.
const DirectoryTTL = 2 * time.Second

// NewDirectory returns a directory that reads by load, such as Store.People.
func NewDirectory(load func(ctx context.Context) ([]Person, error)) *Directory {
	return &Directory{load: load}
}

// Known returns a function that tells whether a person exists, right for the given ids.
func (d *Directory) Known(ctx context.Context, ids []uuid.UUID) (func(uuid.UUID) bool, error) {
	d.mu.Lock()
	have := d.ids
	d.mu.Unlock()
	for _, id := range ids {
		if have[id] {
			continue
		}
		if _, err := d.read(ctx); err != nil {
			return nil, err
		}
		d.mu.Lock()
		have = d.ids
		d.mu.Unlock()
		break
	}
	return func(id uuid.UUID) bool { return have[id] }, nil
}

// People returns all people, at most DirectoryTTL old. The slice is shared: do not change it.
func (d *Directory) People(ctx context.Context) ([]Person, error) {
	d.mu.Lock()
	people, fresh := d.people, time.Since(d.loaded) < DirectoryTTL
	d.mu.Unlock()
	if fresh {
		return people, nil
	}
	return d.read(ctx)
}

// ByHandle returns the people with the handles (without case); handles nobody has are left out.
func (d *Directory) ByHandle(ctx context.Context, handles []string) ([]Person, error) {
	if len(handles) == 0 {
		return nil, nil
	}
	people, err := d.People(ctx)
	if err != nil {
		return nil, err
	}
	found, missing := pick(people, handles)
	if missing {
		if people, err = d.read(ctx); err != nil {
			return nil, err
		}
		found, _ = pick(people, handles)
	}
	return found, nil
}

func pick(people []Person, handles []string) (found []Person, missing bool) {
	byHandle := make(map[string]Person, len(people))
	for _, p := range people {
		byHandle[p.Handle] = p
	}
	for _, h := range handles {
		if p, ok := byHandle[strings.ToLower(h)]; ok {
			found = append(found, p)
		} else {
			missing = true
		}
	}
	return found, missing
}

func (d *Directory) read(ctx context.Context) ([]Person, error) {
	at := time.Now()
	people, err := d.load(ctx)
	if err != nil {
		return nil, err
	}
	ids := make(map[uuid.UUID]bool, len(people))
	for _, p := range people {
		ids[p.ID] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if at.After(d.loaded) {
		d.loaded, d.ids, d.people = at, ids, people
	}
	return people, nil
}
