package httpapi

import (
	"container/list"
	"sync"

	"golang.org/x/sync/singleflight"
)

// memo remembers encoded answers, the least recently used ones go first. Several requests for the same one that nobody
// has computed yet wait for the first.
type memo struct {
	limit   int // bytes
	flights singleflight.Group

	mu    sync.Mutex
	size  int
	order *list.List // of *remembered, most recently used first
	byKey map[string]*list.Element
}

type remembered struct {
	key  string
	body []byte
}

func newMemo(limit int) *memo {
	return &memo{limit: limit, order: list.New(), byKey: map[string]*list.Element{}}
}

// get returns what is remembered under key, or computes it. The bytes are shared: nobody changes them.
func (m *memo) get(key string, compute func() ([]byte, error)) ([]byte, error) {
	if body := m.look(key); body != nil {
		return body, nil
	}
	v, err, _ := m.flights.Do(key, func() (any, error) {
		body, err := compute()
		if err == nil {
			m.keep(key, body)
		}
		return body, err
	})
	if err != nil {
		return nil, err
	}
	return v.([]byte), nil //nolint:forcetypeassert // made three lines above
}

func (m *memo) look(key string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.byKey[key]
	if !ok {
		return nil
	}
	m.order.MoveToFront(e)
	return e.Value.(*remembered).body //nolint:forcetypeassert // the list holds nothing else
}

func (m *memo) keep(key string, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.byKey[key]; ok || len(body) > m.limit/4 {
		return
	}
	m.byKey[key] = m.order.PushFront(&remembered{key, body})
	m.size += len(key) + len(body)
	for m.size > m.limit {
		last := m.order.Back()
		r := m.order.Remove(last).(*remembered) //nolint:forcetypeassert // the list holds nothing else
		delete(m.byKey, r.key)
		m.size -= len(r.key) + len(r.body)
	}
}
