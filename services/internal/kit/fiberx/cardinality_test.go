package fiberx

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// TestSeriesStayFewWhateverIsAsked drives what callers can make up: methods, paths, keys, hosts and headers.
func TestSeriesStayFewWhateverIsAsked(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{ServiceName: "task-service", SampleRatio: 1, LogWriter: &logBuffer{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tel.Shutdown(t.Context()); err != nil {
			t.Logf("shutdown: %v", err)
		}
	})
	app := New(Config{TrustedProxies: []string{"0.0.0.0"}}, (&logBuffer{}).logger(), tel)
	MountOps(app, Ops{Service: "task-service", Metrics: tel.MetricsHandler()})
	app.Get("/api/v1/tasks/:ref", func(c *fiber.Ctx) error {
		if strings.HasSuffix(c.Params("ref"), "7") {
			return apperr.New(apperr.NotFound, "There is no such task.")
		}
		return c.SendString("ok")
	})
	app.Get("/files/*", func(c *fiber.Ctx) error { return c.SendString("file") })
	count := func() int {
		return strings.Count(send(t, app, http.MethodGet, "/metrics", "").body, "\nhttp_server_")
	}
	drive := func(from, to int) {
		for i := from; i < to; i++ {
			send(t, app, http.MethodGet, fmt.Sprintf("/api/v1/tasks/WEB-%d", i), "", "X-Forwarded-Proto", fmt.Sprintf("proto%d", i))
			send(t, app, http.MethodGet, fmt.Sprintf("/files/%d/x", i), "", "Host", fmt.Sprintf("host%d.example", i))
			send(t, app, http.MethodPut, fmt.Sprintf("/nowhere/%d", i), "")
			send(t, app, fmt.Sprintf("METHOD%d", i), "/api/v1/tasks/1", "")
		}
	}
	drive(0, 20)
	count() // is a request, too
	few := count()
	if few == 0 {
		t.Fatal("nothing is measured")
	}
	drive(20, 1500)
	if many := count(); many != few {
		t.Errorf("%d series became %d", few, many)
	}
	if n := len(RouteStats(app)); n != 2 {
		t.Errorf("%d routes are counted", n)
	}
}
