package degradation

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// request is one to the edge, or to a replica.
type request struct {
	method, at, path, body, key string // at: host:port; empty: the edge
}

// answer is what came of a request.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
	err    error // there was no answer
}

func (a answer) String() string {
	return fmt.Sprintf("%d after %s (Retry-After %q): %.400s %v", a.status, a.took.Round(time.Millisecond), a.header.Get("Retry-After"), a.body, a.err)
}

// decode reads JSON; names are matched whatever their case.
func decode(data []byte, into any) error { return json.Unmarshal(data, into) }

func (a answer) ok() bool { return a.err == nil && a.status < http.StatusMultipleChoices }

// refusal returns an error unless an answer says clearly that it is to be asked again later: 503, Retry-After, a problem
// document that says what.
func (a answer) refusal(what string) error {
	var p struct {
		Status int
		Title  string
		Detail string
	}
	if a.err != nil || a.status != http.StatusServiceUnavailable {
		return fmt.Errorf("got %s, want 503", a)
	}
	if s, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || s < 1 || s > 30 {
		return fmt.Errorf("when to come back is not said: %s", a)
	}
	if media := a.header.Get("Content-Type"); !strings.HasPrefix(media, "application/problem+json") {
		return fmt.Errorf("%s is no problem document: %s", media, a)
	}
	if err := decode(a.body, &p); err != nil || p.Status != a.status || !strings.Contains(p.Title+p.Detail, what) {
		return fmt.Errorf("want a problem about %q: %s", what, a)
	}
	return nil
}

// refuses demands that a request is refused with a problem that says what, each time, and at once.
func (r *rig) refuses(t *testing.T, q request, what string) {
	t.Helper()
	r.atOnce(t, q, func(a answer) error { return a.refusal(what) })
}

// serves demands that a request succeeds, each time, and at once.
func (r *rig) serves(t *testing.T, q request) {
	t.Helper()
	r.atOnce(t, q, func(a answer) error {
		if !a.ok() {
			return answerError(a)
		}
		return nil
	})
}

// atOnce asks until an answer comes at once; each must be right.
func (r *rig) atOnce(t *testing.T, q request, wrong func(answer) error) {
	t.Helper()
	until(t, q.method+" "+q.path+" is answered at once", func() error {
		a := r.ask(t, q)
		if err := wrong(a); err != nil {
			t.Error(err)
			return nil
		}
		if a.took > atOnce {
			return fmt.Errorf("late: %s", a)
		}
		return nil
	})
}

type answerError answer

func (e answerError) Error() string { return answer(e).String() }

// noReuse is a client without connections that outlive a fault.
var noReuse = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

// ask sends a request once. It may be called from any goroutine, and leaves judging to the caller.
func (r *rig) ask(t *testing.T, q request) (a answer) {
	t.Helper()
	base := r.URL()
	if q.at != "" {
		base = "http://" + q.at
	}
	if q.method == "" {
		q.method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), q.method, base+q.path, strings.NewReader(q.body))
	if err != nil {
		return answer{err: err}
	}
	if q.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if q.key != "" {
		req.Header.Set("Idempotency-Key", q.key)
	}
	began := time.Now()
	defer func() { a.took = time.Since(began) }()
	res, err := noReuse.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, header: res.Header, body: body, err: err}
}
