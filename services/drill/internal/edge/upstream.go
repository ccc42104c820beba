package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// What becomes of a request that no replica answers.
var (
	errSilent = errors.New("no answer in time")         // 504
	errNobody = errors.New("every replica is left out") // 503: nginx's "no live upstreams"
)

// upstream is a group of replicas. The one with the fewest requests under way is asked (least_conn).
type upstream struct {
	mu       sync.Mutex
	replicas []*replica
	turn     int // among equals
	maxFails int // in a row, and a replica is left out
	now      func() time.Time
}

// replica is what nginx remembers of a server (ngx_http_upstream_rr_peer_t); times are seconds, as there.
type replica struct {
	addr     string
	conns    int   // requests under way
	fails    int   // since one went well
	accessed int64 // when one failed last
	checked  int64 // when one failed, or was let through after failTimeout
}

func newUpstream(addrs []string) *upstream {
	u := &upstream{now: time.Now, maxFails: maxFails}
	for _, addr := range addrs {
		u.replicas = append(u.replicas, &replica{addr: addr})
	}
	return u
}

// take chooses a replica that was not asked yet and is not left out, and counts the request; nil if there is none.
func (u *upstream) take(asked map[*replica]bool) *replica {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.now().Unix()
	u.turn++
	var best *replica
	for i := range u.replicas {
		r := u.replicas[(u.turn+i)%len(u.replicas)]
		left := r.fails >= u.maxFails && now-r.checked <= failTimeout
		if !asked[r] && !left && (best == nil || r.conns < best.conns) {
			best = r
		}
	}
	if best == nil {
		return nil
	}
	best.conns++
	if now-best.checked > failTimeout {
		best.checked = now
	}
	asked[best] = true
	return best
}

// free ends a request that take counted.
func (u *upstream) free(r *replica) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r.conns--
}

// note says whether a replica failed.
func (u *upstream) note(r *replica, failed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch now := u.now().Unix(); {
	case failed:
		r.fails++
		r.accessed, r.checked = now, now
	case r.accessed < r.checked:
		r.fails = 0
	}
}

// ask sends a request to one replica after the other, until one answers properly or it may not be sent again. sent says
// whether one may have received it.
func (u *upstream) ask(send func(*http.Request) (*http.Response, error), r *http.Request, body *body, wait time.Duration, again bool) (res *http.Response, sent bool, err error) {
	began := u.now()
	asked := map[*replica]bool{}
	for try := 1; ; try++ {
		to := u.take(asked)
		if to == nil {
			return nil, sent, errNobody
		}
		out := r.Clone(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent = true }}))
		out.URL.Host = to.addr
		body.into(out)
		res, err = firstByte(send, out, wait)
		failed := r.Context().Err() == nil &&
			(err != nil || again && (res.StatusCode == http.StatusBadGateway || res.StatusCode == http.StatusServiceUnavailable))
		u.note(to, failed)
		if !failed || try >= min(tries, len(u.replicas)) || u.now().Sub(began) >= triesTimeout || (sent && !again) {
			if err != nil {
				u.free(to)
				return nil, sent, err
			}
			res.Body = &ending{ReadCloser: res.Body, end: sync.OnceFunc(func() { u.free(to) })}
			return res, sent, nil
		}
		u.free(to)
		if err == nil {
			_ = res.Body.Close() // another answer counts
		}
	}
}

// firstByte sends a request and gives it up with errSilent if the answer has not begun after wait.
func firstByte(send func(*http.Request) (*http.Response, error), r *http.Request, wait time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	patience := time.AfterFunc(wait, func() { cancel(errSilent) })
	res, err := send(r.WithContext(ctx))
	if !patience.Stop() && errors.Is(context.Cause(ctx), errSilent) {
		if err == nil {
			_ = res.Body.Close() // began in the moment of giving up
		}
		return nil, fmt.Errorf("ask %s: %w within %s", r.URL.Host, errSilent, wait)
	}
	if err != nil {
		cancel(nil)
		return nil, err
	}
	res.Body = &ending{ReadCloser: res.Body, end: func() { cancel(nil) }}
	return res, nil
}

// ending is an answer's body that says when it is done with.
type ending struct {
	io.ReadCloser

	end func()
}

// Close implements io.Closer.
func (e *ending) Close() error {
	defer e.end()
	return e.ReadCloser.Close()
}
