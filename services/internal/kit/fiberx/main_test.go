package fiberx

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Fiber and fasthttp keep one clock each for the life of the process.
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// logBuffer keeps JSON log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines returns the records so far with the given message.
func (l *logBuffer) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []map[string]any
	for line := range strings.Lines(l.buf.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if message == "" || record["msg"] == message {
			out = append(out, record)
		}
	}
	return out
}

func newApp(cfg Config) (*fiber.App, *logBuffer) {
	log := &logBuffer{}
	cfg.AccessLog = true
	return New(cfg, log.logger(), telemetry.Nop()), log
}

type answer struct {
	*http.Response
	body    string
	problem Problem
}

// send makes a request of app; header is name, value, name, value.
func send(t *testing.T, app *fiber.App, method, target, body string, header ...string) answer {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := app.Test(req, -1)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return read(t, res)
}

func read(t *testing.T, res *http.Response) answer {
	t.Helper()
	defer res.Body.Close() //nolint:errcheck // it was read
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Response: res, body: string(data)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), MIMEProblem) {
		if err := json.Unmarshal(data, &a.problem); err != nil {
			t.Fatalf("problem %q: %v", data, err)
		}
	}
	return a
}
