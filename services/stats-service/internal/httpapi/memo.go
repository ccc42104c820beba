package httpapi

import (
	"container/list"
	"fmt"
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
	order *list.List // of keys, most recently used first
	byKey map[string]*remembered
}

type remembered struct {
	body  []byte
	place *list.Element
}

func newMemo(limit int) *memo {
	return &memo{limit: limit, order: list.New(), byKey: map[string]*remembered{}}
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
	body, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("remembered answer is a %T", v)
	}
	return body, nil
}

func (m *memo) look(key string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.byKey[key]
	if !ok {
		return nil
	}
	m.order.MoveToFront(e.place)
	return e.body
}

func (m *memo) keep(key string, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.byKey[key]; ok || len(body) > m.limit/4 {
		return
	}
	m.byKey[key] = &remembered{body, m.order.PushFront(key)}
	m.size += len(key) + len(body)
	for m.size > m.limit {
		last := m.order.Back()
		oldest, ok := m.order.Remove(last).(string)
		if !ok {
			return // the list holds nothing but keys
		}
		m.size -= len(oldest) + len(m.byKey[oldest].body)
		delete(m.byKey, oldest)
	}
}
