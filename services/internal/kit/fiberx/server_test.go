package fiberx

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// patience bounds what a test waits for; it is only used up by a test that fails.
const patience = 20 * time.Second

// serve runs app on a free port until the test ends and returns its address.
func serve(t *testing.T, app *fiber.App) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(l) }()
	t.Cleanup(func() {
		if err := app.ShutdownWithTimeout(patience); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() }) //nolint:errcheck // some tests have closed it
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// raw sends bytes as they are and reads one answer.
func raw(t *testing.T, address, request string) answer {
	t.Helper()
	conn := dial(t, address)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Logf("write: %v", err) // the server may answer and close before it has read everything
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

func TestRequestsThatCannotBeReadGetProblems(t *testing.T) {
	t.Parallel()
	app, log := newApp(Config{BodyLimit: 1000, ReadBufferSize: 4096})
	accept := func(c *fiber.Ctx) error { return c.SendString(fmt.Sprint(len(c.Body()))) }
	app.Post("/tasks", accept)
	address := serve(t, app)
	post := func(path string, size int) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, size, strings.Repeat("x", size))
	}
	chunked := "POST /tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + strings.Repeat("x", 2000) + "\r\n0\r\n\r\n"
	for name, c := range map[string]struct {
		request string
		status  int
		code    string
	}{
		"small body":         {post("/tasks", 1000), 200, ""},
		"large body":         {post("/tasks", 1001), 413, "too-large"},
		"large chunked body": {chunked, 413, "too-large"},
		"large header":       {"GET /tasks HTTP/1.1\r\nHost: x\r\nX-Big: " + strings.Repeat("x", 5000) + "\r\n\r\n", 431, "headers-too-large"},
		"no http":            {"HELLO\r\n\r\n", 400, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := raw(t, address, c.request)
			if a.StatusCode != c.status || a.problem.Code != c.code {
				t.Fatalf("got %d %s", a.StatusCode, a.body)
			}
			if len(a.Header.Get(HeaderTraceID)) != 32 || a.Header.Get("X-Request-ID") == "" {
				t.Errorf("ids missing: %v", a.Header)
			}
			if c.status >= 400 && a.problem.TraceID != a.Header.Get(HeaderTraceID) {
				t.Errorf("trace id %q", a.problem.TraceID)
			}
		})
	}
	t.Cleanup(func() {
		for _, line := range log.lines(t, "") {
			if line["level"] == "ERROR" || line["level"] == "WARN" {
				t.Errorf("logged %v", line)
			}
		}
	})
}
