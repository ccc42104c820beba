package fiberx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

func TestErrorsBecomeProblems(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial tcp 10.0.0.7: secret detail")
	for name, c := range map[string]struct {
		err    error
		status int
		code   apperr.Code
		detail string // substring
		field  string
		level  string // of the "request failed" line
	}{
		"invalid field":      {apperr.InvalidField("title", "must not be empty"), 400, apperr.Invalid, "title: must not be empty", "title", "DEBUG"},
		"wrapped":            {fmt.Errorf("create: %w", apperr.New(apperr.Conflict, "taken")), 409, apperr.Conflict, "taken", "", "DEBUG"},
		"unauthenticated":    {apperr.New(apperr.Unauthenticated, "sign in"), 401, apperr.Unauthenticated, "sign in", "", "DEBUG"},
		"forbidden":          {apperr.New(apperr.Forbidden, "no"), 403, apperr.Forbidden, "no", "", "DEBUG"},
		"not found":          {apperr.New(apperr.NotFound, "no task"), 404, apperr.NotFound, "no task", "", "DEBUG"},
		"gone":               {apperr.New(apperr.Gone, "gone"), 410, apperr.Gone, "gone", "", "DEBUG"},
		"stale":              {apperr.New(apperr.Stale, "changed"), 412, apperr.Stale, "changed", "", "DEBUG"},
		"too large":          {apperr.New(apperr.TooLarge, "big"), 413, apperr.TooLarge, "big", "", "DEBUG"},
		"unprocessable":      {apperr.New(apperr.Unprocessable, "cycle"), 422, apperr.Unprocessable, "cycle", "", "DEBUG"},
		"precondition":       {apperr.New(apperr.PreconditionRequired, "If-Match"), 428, apperr.PreconditionRequired, "If-Match", "", "DEBUG"},
		"rate limited":       {apperr.New(apperr.RateLimited, "slow"), 429, apperr.RateLimited, "slow", "", "DEBUG"},
		"unavailable":        {apperr.Wrap(secret, apperr.Unavailable, "the database is not available").WithRetryAfter(1500 * time.Millisecond), 503, apperr.Unavailable, "the database is not available", "", "WARN"},
		"timeout":            {apperr.Wrap(secret, apperr.Timeout, "too slow"), 504, apperr.Timeout, "too slow", "", "WARN"},
		"deadline":           {fmt.Errorf("query: %w", context.DeadlineExceeded), 504, apperr.Timeout, "longer than allowed", "", "WARN"},
		"gone client":        {fmt.Errorf("query: %w", context.Canceled), 499, apperr.Canceled, "cancelled", "", "DEBUG"},
		"unknown":            {secret, 500, apperr.Internal, "trace id", "", "ERROR"},
		"internal":           {apperr.Wrap(secret, apperr.Internal, "row 7 of secret"), 500, apperr.Internal, "trace id", "", "ERROR"},
		"fiber 500":          {fiber.NewError(500, "secret"), 500, apperr.Internal, "trace id", "", "ERROR"},
		"fiber 405":          {fiber.ErrMethodNotAllowed, 405, apperr.MethodNotAllowed, "method", "", "DEBUG"},
		"fiber 408":          {fiber.ErrRequestTimeout, 408, apperr.RequestTimeout, "in time", "", "DEBUG"},
		"fiber 418":          {fiber.ErrTeapot, 400, apperr.Invalid, "teapot", "", "DEBUG"},
		"bad parameter":      {fiber.NewError(400, `Invalid format for parameter limit: strconv.ParseInt: parsing "x": secret`), 400, apperr.Invalid, "limit: has the wrong format", "limit", "DEBUG"},
		"missing parameter":  {fiber.NewError(400, "Query argument from is required, but not found"), 400, apperr.Invalid, "from: is required", "from", "DEBUG"},
		"missing header":     {fiber.NewError(400, "Header parameter If-Match is required, but not found"), 400, apperr.Invalid, "is required", "If-Match", "DEBUG"},
		"repeated header":    {fiber.NewError(400, "Too many values for ParamName X-Key, 1 is required, but 2 found"), 400, apperr.Invalid, "only once", "X-Key", "DEBUG"},
		"body of a wrapper":  {fiber.NewError(400, `titel: unknown field "titel"`), 400, apperr.Invalid, `titel: unknown field "titel"`, "titel", "DEBUG"},
		"other bad request":  {fiber.NewError(400, "Secret of the wrapper"), 400, apperr.Invalid, "could not be understood", "", "DEBUG"},
		"body of no type":    {fiber.ErrUnsupportedMediaType, 415, apperr.UnsupportedMedia, "", "", "DEBUG"},
		"broken while read":  {fiber.ErrBadGateway, 499, apperr.Canceled, "broke off", "", "DEBUG"},
		"encoding fails too": {apperr.New(apperr.Stale, "changed").WithCurrent(func() {}), 412, apperr.Stale, "changed", "", "DEBUG"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, log := newApp(Config{})
			app.Get("/tasks/:ref", func(*fiber.Ctx) error { return c.err })
			a := send(t, app, http.MethodGet, "/tasks/WEB-42?filter=private", "")
			p := a.problem
			if a.StatusCode != c.status || p.Status != c.status || p.Code != string(c.code) || !strings.Contains(p.Detail, c.detail) {
				t.Fatalf("got %d %+v", a.StatusCode, p)
			}
			if p.Type != "/problems/"+string(c.code) || p.Instance != "/tasks/WEB-42" || p.Title == "" {
				t.Errorf("got %+v", p)
			}
			if len(p.TraceID) != 32 || p.TraceID != a.Header.Get(HeaderTraceID) {
				t.Errorf("trace id %q, header %q", p.TraceID, a.Header.Get(HeaderTraceID))
			}
			if strings.Contains(strings.ToLower(a.body), "secret") {
				t.Errorf("the answer tells too much: %s", a.body)
			}
			if c.field != "" && (len(p.Errors) != 1 || p.Errors[0].Name != c.field) {
				t.Errorf("fields %+v", p.Errors)
			}
			failed := log.lines(t, "request failed")
			if len(failed) != 1 || failed[0]["level"] != c.level || failed[0]["error"] == "" {
				t.Errorf("logged %v", failed)
			}
			for _, line := range log.lines(t, "") {
				if s := fmt.Sprint(line); strings.Contains(s, "private") || strings.Contains(s, "WEB-42") {
					t.Errorf("the log tells too much: %s", s)
				}
			}
		})
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{})
	app.Get("/", func(*fiber.Ctx) error {
		return apperr.New(apperr.Unavailable, "away").WithRetryAfter(1200 * time.Millisecond)
	})
	if got := send(t, app, http.MethodGet, "/", "").Header.Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q", got)
	}
}

func TestStaleCarriesTheCurrentState(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{})
	app.Get("/", func(c *fiber.Ctx) error {
		SetETag(c, 3)
		return apperr.New(apperr.Stale, "changed").WithCurrent(map[string]int{"version": 7})
	})
	a := send(t, app, http.MethodGet, "/", "")
	if current, ok := a.problem.Current.(map[string]any); !ok || current["version"] != 7.0 {
		t.Errorf("current %v", a.problem.Current)
	}
	if a.Header.Get("ETag") != "" {
		t.Error("a problem has the ETag of what it is not")
	}
}

func TestPanicsAreLoggedOnceWithTheirStack(t *testing.T) {
	t.Parallel()
	app, log := newApp(Config{})
	app.Get("/boom", func(*fiber.Ctx) error { panic("secret") })
	a := send(t, app, http.MethodGet, "/boom", "")
	if a.StatusCode != http.StatusInternalServerError || strings.Contains(a.body, "secret") {
		t.Fatalf("got %d %s", a.StatusCode, a.body)
	}
	failed := log.lines(t, "request failed")
	if len(failed) != 1 || failed[0]["error"] != "panic: secret" || !strings.Contains(fmt.Sprint(failed[0]["stack"]), "problem_test.go") {
		t.Errorf("logged %v", failed)
	}
}

func TestFibersOwnErrorsAreProblems(t *testing.T) {
	t.Parallel()
	app, log := newApp(Config{})
	app.Get("/tasks/:ref", func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Delete("/tasks/:ref", func(c *fiber.Ctx) error { return c.SendString("ok") })
	if a := send(t, app, http.MethodGet, "/nowhere", ""); a.StatusCode != http.StatusNotFound || a.problem.Code != "not-found" {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
	a := send(t, app, http.MethodPost, "/tasks/1", "")
	if a.StatusCode != http.StatusMethodNotAllowed || a.problem.Code != "method-not-allowed" || a.Header.Get("Allow") != "GET, HEAD, DELETE" {
		t.Errorf("got %d %s Allow %q", a.StatusCode, a.body, a.Header.Get("Allow"))
	}
	for _, line := range log.lines(t, "request") {
		if line["route"] != "" {
			t.Errorf("an unmatched request has route %v", line["route"])
		}
	}
}
