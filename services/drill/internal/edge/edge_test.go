package edge

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// backend is a replica that says who it is, and fails as told.
func backend(t *testing.T, name string, status *atomic.Int32, asked *atomic.Int32) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if code := int(status.Load()); code == 0 {
			panic(http.ErrAbortHandler) // breaks off
		} else if code != http.StatusOK {
			w.WriteHeader(code)
			return
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		io.WriteString(w, name+" "+string(b)) //nolint:errcheck // the test sees what arrives
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func ask(t *testing.T, url, method, key string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // was read
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestAsksAnotherReplicaWhereItMay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first       int // status of the replica that fails; 0 breaks off
		method, key string
		want        int
	}{
		"a read after a break":              {0, "GET", "", 200},
		"a read after a 503":                {503, "GET", "", 200},
		"a keyed write after a break":       {0, "POST", "k", 200},
		"a keyed write after a 503":         {503, "PATCH", "k", 200},
		"a write without key after a 503":   {503, "POST", "", 503},
		"a write without key after a break": {0, "PATCH", "", 503},
		"a keyed PUT after a break":         {0, "PUT", "k", 200},
		"a keyed DELETE after a 503":        {503, "DELETE", "k", 200},
		"a PUT without key after a 503":     {503, "PUT", "", 503},
		"a PUT without key after a break":   {0, "PUT", "", 503},
		"a DELETE without key after a 503":  {503, "DELETE", "", 503},
		"a DELETE without key, break":       {0, "DELETE", "", 503},
		"a 500 is an answer":                {500, "POST", "k", 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var bad, good, askedBad, askedGood atomic.Int32
			bad.Store(int32(c.first))
			good.Store(200)
			front := httptest.NewServer(New(Config{Tasks: []string{backend(t, "good", &good, &askedGood), backend(t, "bad", &bad, &askedBad)}}))
			t.Cleanup(front.Close)
			status, body := ask(t, front.URL+"/api/v1/tasks", c.method, c.key) // the first turn is the second replica's
			if status != c.want || status == 200 && body != "good body" {
				t.Errorf("%d %q, want %d", status, body, c.want)
			}
			if askedBad.Load() != 1 {
				t.Errorf("the bad one was asked %d times", askedBad.Load())
			}
		})
	}
}

func TestNobodyNoticesARefusedConnection(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	var good, asked atomic.Int32
	good.Store(200)
	front := httptest.NewServer(New(Config{Tasks: []string{backend(t, "good", &good, &asked), strings.TrimPrefix(gone.URL, "http://")}}))
	t.Cleanup(front.Close)
	for _, method := range []string{"GET", "POST", "PATCH", "PUT", "DELETE"} {
		for _, key := range []string{"", "k"} {
			if status, body := ask(t, front.URL+"/api/v1/tasks", method, key); status != 200 || body != "good body" {
				t.Errorf("%s with key %q: %d %q", method, key, status, body)
			}
		}
	}
	if asked.Load() != 10 {
		t.Errorf("the good one was asked %d times", asked.Load())
	}
}

func TestStatsGoToTheirService(t *testing.T) {
	t.Parallel()
	var ok, n atomic.Int32
	ok.Store(200)
	front := httptest.NewServer(New(Config{Tasks: []string{backend(t, "tasks", &ok, &n)}, Stats: []string{backend(t, "stats", &ok, &n)}}))
	t.Cleanup(front.Close)
	for path, want := range map[string]string{"/api/v1/stats/verify": "stats body", "/api/v1/projects": "tasks body"} {
		if _, body := ask(t, front.URL+path, "GET", ""); body != want {
			t.Errorf("%s was answered by %q", path, body)
		}
	}
}

func TestWithoutBody(t *testing.T) {
	t.Parallel()
	var ok, n atomic.Int32
	ok.Store(200)
	front := httptest.NewServer(New(Config{Tasks: []string{backend(t, "tasks", &ok, &n)}}))
	t.Cleanup(front.Close)
	res, err := http.Get(front.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only the status counts
	if res.StatusCode != http.StatusOK {
		t.Error(res.Status)
	}
}
