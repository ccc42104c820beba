package traces

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// errNoSuchThing is a 404 of Jaeger.
var errNoSuchThing = errors.New("not found")

// budget is the bytes that the answers to one question may still have together.
type budget struct {
	max  int64
	left atomic.Int64
}

func newBudget(bytes int64) *budget {
	b := &budget{max: bytes}
	b.left.Store(bytes)
	return b
}

// errTooLarge ends the reading of an answer for which the budget does not suffice.
var errTooLarge = errors.New("the answers are too large")

// spending reads an answer and takes what it reads from a budget.
type spending struct {
	io.Reader

	from *budget
}

// Read implements io.Reader.
func (s spending) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.from.left.Add(-int64(n)) < 0 {
		return n, errTooLarge
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

// get makes one request, once fewer than maxRequests are under way; reading and decoding the answer, which needs memory, is
// part of it. What goes wrong is apperr.Unavailable, but for errNoSuchThing and a caller who is gone.
func (j *Jaeger) get(ctx context.Context, path string, values url.Values, left *budget, answer any) error {
	if j.fault != nil {
		return away(j.fault, "Traces cannot be read: the address of Jaeger is not valid.")
	}
	target := *j.base
	target.Path += path
	target.RawQuery = values.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return away(err, "Traces cannot be read: the address of Jaeger is not valid.")
	}
	select {
	case j.slots <- struct{}{}:
		defer func() { <-j.slots }()
	case <-ctx.Done():
		return j.failure(ctx, ctx.Err())
	}
	response, err := j.client.Do(request)
	if err != nil {
		return j.failure(ctx, err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written
	switch {
	case response.StatusCode == http.StatusNotFound:
		return errNoSuchThing
	case response.StatusCode != http.StatusOK:
		return away(fmt.Errorf("ask Jaeger for %s: status %s", path, response.Status), "Traces cannot be read: Jaeger answered with an error.")
	}
	body, err := io.ReadAll(spending{response.Body, left})
	switch {
	case errors.Is(err, errTooLarge):
		return away(fmt.Errorf("ask Jaeger for %s: %w: more than %d bytes", path, err, left.max),
			"Traces cannot be read: Jaeger's answer is too large. Search for less, such as a shorter time.")
	case err != nil:
		return j.failure(ctx, err)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return away(fmt.Errorf("decode Jaeger's answer to %s: %w", path, err), "Traces cannot be read: Jaeger's answer is not understood.")
	}
	return nil
}

// failure is what a request ends with that got no answer.
func (j *Jaeger) failure(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("ask Jaeger: %w", context.Canceled)
	case ctx.Err() != nil:
		return away(err, "Traces cannot be read: Jaeger did not answer in time.")
	}
	return away(err, "Traces cannot be read: Jaeger is not reachable.")
}

func away(cause error, message string) error {
	return apperr.Wrap(cause, apperr.Unavailable, "%s", message).WithRetryAfter(retryAway)
}
