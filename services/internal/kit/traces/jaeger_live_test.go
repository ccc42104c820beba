//go:build jaeger

package traces

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
)

// TestAgainstARealJaeger runs the suite against a running Jaeger and records its answers for TestJaegerIsASource:
//
//	docker run --rm -d -p 127.0.0.1:16686:16686 -p 127.0.0.1:4317:4317 \
//	  -v "$PWD/deploy/jaeger/jaeger.yaml:/jaeger.yaml:ro" jaegertracing/jaeger:2.13.0 --config /jaeger.yaml
//	JAEGER_QUERY=http://127.0.0.1:16686 JAEGER_OTLP=127.0.0.1:4317 go test -tags jaeger -run RealJaeger ./traces
func TestAgainstARealJaeger(t *testing.T) {
	client := otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(os.Getenv("JAEGER_OTLP")), otlptracegrpc.WithInsecure())
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := client.UploadTraces(t.Context(), otlp(t, append(append(oneClick(), failedRequest()...), batch()...)...)); err != nil {
		t.Fatal(err)
	}
	if err := client.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(os.Getenv("JAEGER_QUERY"))
	if err != nil {
		t.Fatal(err)
	}
	direct := NewJaeger(JaegerConfig{URL: target.String(), Now: afterwards})
	defer direct.Close()
	for deadline := time.Now().Add(10 * time.Second); ; {
		trace, err := direct.Trace(t.Context(), traceID("click"))
		if err == nil && len(trace.Spans) == 11 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the trace does not arrive: %v", err)
		}
	}
	tape := recording{Answers: map[string]int{}}
	proxy := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		defer mu.Unlock()
		tape.keep(r.Request.URL, r.StatusCode, body)
		return err
	}
	server := httptest.NewServer(proxy)
	j := NewJaeger(JaegerConfig{URL: server.URL, Now: afterwards})
	t.Run("suite", func(t *testing.T) { exercise(t, j) })
	j.Close()
	server.Close()
	if t.Failed() {
		return
	}
	out, err := json.MarshalIndent(tape, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", "jaeger.json"), append(out, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *recording) keep(asked *url.URL, status int, body []byte) {
	text := strings.TrimSpace(string(body))
	for i, known := range r.Bodies {
		if known.Status == status && string(known.Body) == text {
			r.Answers[asked.RequestURI()] = i
			return
		}
	}
	r.Answers[asked.RequestURI()] = len(r.Bodies)
	r.Bodies = append(r.Bodies, recorded{status, json.RawMessage(text)})
}
