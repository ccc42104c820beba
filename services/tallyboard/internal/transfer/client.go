package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// requestTimeout bounds a request that is answered at once; exports and imports take as long as they need.
	requestTimeout = 30 * time.Second
	// maxAnswer bounds what is read of such an answer, in bytes.
	maxAnswer = 32 << 20
)

// Config says which installation.
type Config struct {
	// URL of a running Tallyboard.
	URL string `env:"TALLYBOARD_URL" envDefault:"http://localhost:8080"`
}

// client speaks to an installation.
type client struct {
	base string
	http *http.Client
}

func newClient(c Config) *client {
	return &client{base: strings.TrimSuffix(c.URL, "/"), http: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}} //nolint:errcheck // it is one
}

func (c *client) close() { c.http.CloseIdleConnections() }

// refusal is an answer that is no success.
type refusal struct {
	status int
	detail string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s (status %d)", r.detail, r.status) }

func refusedWith(err error, status int) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.status == status
}

// stream sends a request and returns the answer, which the caller closes.
func (c *client) stream(ctx context.Context, method, path string, body io.Reader, length int64, header map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", c.base, err)
	}
	if body != nil {
		req.ContentLength = length
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no Tallyboard answers at %s (start it, or name another with -url): %w", c.base, err)
	}
	if res.StatusCode < http.StatusMultipleChoices {
		return res, nil
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return nil, explain(res.StatusCode, text)
}

// explain makes an error of a problem document.
func explain(status int, text []byte) error {
	var p struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(text, &p) != nil || p.Title+p.Detail == "" {
		return &refusal{status, http.StatusText(status)}
	}
	detail := p.Detail
	if detail == "" {
		detail = p.Title
	}
	return &refusal{status, detail}
}

// call sends a value as JSON, if not nil, and reads the answer into another, if not nil.
func (c *client) call(ctx context.Context, method, path string, in, out any, header map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var body io.Reader
	var length int64
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body, length = bytes.NewReader(text), int64(len(text))
	}
	res, err := c.stream(ctx, method, path, body, length, header)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
