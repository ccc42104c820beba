package edge

import (
	"sync"
	"time"
)

// limiter lets each key act so often per second, with a reserve for bursts (a token bucket).
type limiter struct {
	rate  float64 // tokens per second
	burst float64 // tokens at most
	keys  int     // remembered at most

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(rate, burst float64, keys int) *limiter {
	return &limiter{rate: rate, burst: burst, keys: keys, buckets: map[string]bucket{}}
}

// allow takes a token of the key; it reports whether there was one.
func (l *limiter) allow(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[key]
	if !known {
		if len(l.buckets) >= l.keys && !l.forget(now) {
			return false // more keys at once than we keep: refusing costs a few traces, remembering all would cost memory
		}
		b = bucket{tokens: l.burst, at: now}
	}
	b.tokens = min(l.burst, b.tokens+l.rate*now.Sub(b.at).Seconds())
	b.at = now
	ok := b.tokens >= 1
	if ok {
		b.tokens--
	}
	l.buckets[key] = b
	return ok
}

// forget drops the keys whose buckets are full again, which is as if they had never come; it reports whether there were any.
func (l *limiter) forget(now time.Time) bool {
	before := len(l.buckets)
	for key, b := range l.buckets {
		if b.tokens+l.rate*now.Sub(b.at).Seconds() >= l.burst {
			delete(l.buckets, key)
		}
	}
	return len(l.buckets) < before
}
