package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// keyHeader is Idempotency-Key, which has no case on the wire. Under its usual spelling [http.Transport] takes it as leave to
// send a request without a body, or whose body it can get again, a second time by itself when a connection breaks: the
// ledger would count one attempt where there were two, and a second answer ("it is gone") for that to the first.
const keyHeader = "idempotency-key"

// tries notes each connection that the transport takes for one attempt. One is the rule. Reads, and requests of which not a
// byte had left when their connection turned out to be closed, it sends again by itself: that is harmless, but counts.
type tries struct {
	since func() time.Duration

	mu    sync.Mutex
	began []time.Duration // the attempt itself, and each further try
	taken bool            // a connection
}

// begin notes the beginning of the attempt.
func (t *tries) begin() { t.began = []time.Duration{t.since()} }

// watch returns the request with a trace that notes further tries.
func (t *tries) watch(r *http.Request) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.taken {
			t.began = append(t.began, t.since())
		}
		t.taken = true
	}}))
}

// count returns how many tries there were, at least one.
func (t *tries) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.began)
}

// tell tells of each try. All but the last one failed; the last one ends now, as a says.
func (t *tries) tell(observe func(Attempt), a Attempt) {
	t.mu.Lock()
	began := append(slices.Clone(t.began), t.since())
	t.mu.Unlock()
	failed := a.Failed
	for i := range len(began) - 1 {
		a.Start, a.End, a.Failed = began[i], began[i+1], failed || i < len(began)-2
		observe(a)
	}
}

// attempt sends a request once and says what the answer means. What the transport makes of it is noted in tries.
func (c *caller) attempt(ctx context.Context, op *ledger.Op, r request, tries *tries) (verdict, []byte, error) {
	tries.begin()
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return refused, nil, err
	}
	if len(r.body) > 0 {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.ifMatch != "" {
		req.Header.Set("If-Match", r.ifMatch)
	}
	if r.method != http.MethodGet {
		req.Header[keyHeader] = []string{op.ID}
		req.GetBody = nil // see keyHeader
	}
	req.Header.Set("Traceparent", fmt.Sprintf("00-%s-%016x-01", op.Trace, c.random.Uint64()|1))
	op.Status, op.Replayed, op.Current = 0, false, nil
	res, err := c.http.Do(tries.watch(req))
	if err != nil {
		return unclear, nil, err
	}
	defer res.Body.Close() //nolint:errcheck // read as far as it matters
	op.Status = res.StatusCode
	op.Replayed = res.Header.Get("Idempotency-Replayed") == "true"
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if odd := oddity(res, body); err == nil && odd != "" {
		op.Odd = append(op.Odd, odd)
	}
	switch {
	case err != nil:
		return unclear, nil, err
	case res.StatusCode < http.StatusMultipleChoices:
		return done, body, nil
	case res.StatusCode == http.StatusTooManyRequests:
		return busy, nil, errors.New(res.Status)
	case res.StatusCode >= http.StatusInternalServerError:
		return unclear, nil, fmt.Errorf("%s: %.300s", res.Status, body)
	}
	if res.StatusCode == http.StatusPreconditionFailed {
		var problem struct {
			Current *ledger.Task `json:"current"`
		}
		if err := json.Unmarshal(body, &problem); err != nil {
			return unclear, nil, fmt.Errorf("read a 412: %w", err)
		}
		if len(op.Tasks) > 0 { // else it shows a project, or a view
			op.Current = problem.Current
		}
	}
	return refused, nil, fmt.Errorf("%s: %.300s", res.Status, body)
}

// oddity says what is wrong with an answer that says no; "" if nothing: it must be a problem that tells what happened
// (RFC 9457), must not blame the service's own code, and when it asks for patience it must say for how long.
func oddity(res *http.Response, body []byte) string {
	if res.StatusCode < http.StatusBadRequest {
		return ""
	}
	var problem struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	switch {
	case res.StatusCode == http.StatusInternalServerError:
		return fmt.Sprintf("%s: %.300s", res.Status, body)
	case !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json"), json.Unmarshal(body, &problem) != nil, problem.Code == "", problem.Detail == "":
		return fmt.Sprintf("%s that is no problem: %.300s", res.Status, body)
	case (res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusTooManyRequests) && res.Header.Get("Retry-After") == "":
		return fmt.Sprintf("%s without Retry-After: %.300s", res.Status, body)
	}
	return ""
}
