package fiberx

import (
	"io"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/caller"
)

func TestChangesNoticeThatNobodyWaitsForThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request string
		notices bool
	}{
		"a change":          {"PATCH /thing HTTP/1.1\r\nHost: x\r\n\r\n", true},
		"a read":            {"GET /thing HTTP/1.1\r\nHost: x\r\n\r\n", false},
		"a streamed import": {"POST /import?dryRun=false HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, _ := newApp(Config{Streamed: func(path string) bool { return path == "/import" }})
			began, left, outcome := make(chan error), make(chan struct{}), make(chan error)
			app.All("/*", func(f *fiber.Ctx) error {
				ctx := f.UserContext()
				began <- caller.Present(ctx)
				<-left
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for deadline := time.Now().Add(patience); c.notices && caller.Present(ctx) == nil && time.Now().Before(deadline); {
					<-tick.C
				}
				outcome <- caller.Present(ctx)
				return nil
			})
			conn := dial(t, serve(t, app))
			if _, err := io.WriteString(conn, c.request); err != nil {
				t.Fatal(err)
			}
			if err := <-began; err != nil {
				t.Errorf("while the caller waits: %v", err)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			close(left)
			if err := <-outcome; (err != nil) != c.notices {
				t.Errorf("after the caller has left: %v", err)
			}
		})
	}
}
