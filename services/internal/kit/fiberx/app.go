// Package fiberx is how the services speak HTTP: one Fiber application with the same safety net, one place where errors
// become problem documents (RFC 9457), strict JSON, ETags, server-sent events and the operations endpoints.
//
// Handlers return errors, use c.UserContext() (it carries the deadline and the span) and never keep c. What the client
// reads and what the log says are kept apart: see ErrorHandler.
package fiberx

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// Config has the limits of an HTTP server. Zero values take the defaults of the tags.
type Config struct {
	// Service is the name in log lines and /health.
	Service string `env:"-"`
	// BodyLimit is the size of a request body at most, in bytes; larger ones are answered with 413.
	BodyLimit int `env:"HTTP_BODY_LIMIT" envDefault:"1048576"`
	// Streamed chooses, by path, the requests whose body is read as a stream, such as an import; nil: none. No edge can send
	// them twice, so changes among them go on when their sender has left; see package caller.
	Streamed func(path string) bool `env:"-"`
	// RequestTimeout is the deadline of a request's context; exceeding it is answered with 504.
	RequestTimeout time.Duration `env:"HTTP_REQUEST_TIMEOUT" envDefault:"15s"`
	// ReadTimeout bounds the reading of a whole request.
	ReadTimeout time.Duration `env:"HTTP_READ_TIMEOUT" envDefault:"30s"`
	// IdleTimeout is how long an idle connection is kept. It must exceed the idle timeout of the proxy in front (nginx 60 s,
	// ALB 60 s), or the proxy sends requests into closing connections.
	IdleTimeout time.Duration `env:"HTTP_IDLE_TIMEOUT" envDefault:"75s"`
	// ReadBufferSize is the size of the request line and header at most, in bytes; larger ones are answered with 431.
	ReadBufferSize int `env:"HTTP_HEADER_LIMIT" envDefault:"16384"`
	// Concurrency is the number of connections served at once.
	Concurrency int `env:"HTTP_MAX_CONNECTIONS" envDefault:"10000"`
	// TrustedProxies are addresses and networks (CIDR) whose X-Forwarded-* headers count. Empty trusts nobody.
	TrustedProxies []string `env:"TRUSTED_PROXIES" envSeparator:","`
	// TraceTrust says what a caller's traceparent may decide: "sampling" (all of it; for a server behind an edge of ours
	// that cleans it), "ids" (the trace continues, and whether it is recorded is our own draw) or "none" (a new trace that
	// links to the caller's).
	TraceTrust TraceTrust `env:"HTTP_TRACE_TRUST" envDefault:"ids"`
	// QuietPaths are served without a span and logged at debug level, as the operations endpoints are; each stands for
	// itself and for all paths below it. They are for requests about telemetry, which would otherwise fill it with themselves.
	QuietPaths []string `env:"-"`
	// AccessLog writes a line per request at info level.
	AccessLog bool `env:"HTTP_ACCESS_LOG" envDefault:"true"`
}

func (c Config) withDefaults() Config {
	if c.BodyLimit <= 0 {
		c.BodyLimit = 1 << 20
	}
	if c.ReadBufferSize <= 0 {
		c.ReadBufferSize = 16 << 10
	}
	if c.Concurrency <= 0 {
		c.Concurrency = 10_000
	}
	if c.RequestTimeout <= 0 {
		c.RequestTimeout = 15 * time.Second
	}
	if c.ReadTimeout <= 0 {
		c.ReadTimeout = 30 * time.Second
	}
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = 75 * time.Second
	}
	if c.TraceTrust == "" {
		c.TraceTrust = TrustIDs
	}
	return c
}

// isQuiet reports whether requests of a path are left out of traces and of the log at info level.
func (c Config) isQuiet(path string) bool {
	if isOpsPath(path) {
		return true
	}
	for _, quiet := range c.QuietPaths {
		if rest, below := strings.CutPrefix(path, quiet); below && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// changes reports whether a request may be sent to another instance while this one is at work on it: a change, but for
// those with streamed bodies, which edges cannot send twice. Such a change goes on when its sender has left.
func (c Config) changes(f *fiber.Ctx) bool {
	switch f.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return false
	}
	return c.Streamed == nil || !c.Streamed(string(f.Context().Path()))
}

// New returns an application with the kit's middleware installed: request id, trace, deadline, panic recovery, access
// log and metrics. Routes are added by the caller. The server never sets a write deadline, because streams are long;
// see Stream for theirs.
func New(cfg Config, log *slog.Logger, tel *telemetry.Telemetry) *fiber.App {
	cfg = cfg.withDefaults()
	respond := newErrorResponder(log, tel)
	app := fiber.New(fiber.Config{
		AppName:                 cfg.Service,
		Immutable:               true, // values outlive their request in contexts, goroutines and maps
		CaseSensitive:           true,
		DisableStartupMessage:   true,
		BodyLimit:               cfg.BodyLimit,
		ReadTimeout:             cfg.ReadTimeout,
		IdleTimeout:             cfg.IdleTimeout,
		ReadBufferSize:          cfg.ReadBufferSize,
		Concurrency:             cfg.Concurrency,
		ErrorHandler:            respond.handle,
		JSONDecoder:             decodeForBodyParser,
		EnableTrustedProxyCheck: true,
		TrustedProxies:          cfg.TrustedProxies,
		ProxyHeader:             fiber.HeaderXForwardedFor,
	})
	answerUnknownMethods(app, respond)
	app.Use(newObserver(app, cfg, log, tel).handle)
	return app
}

// answerUnknownMethods has made-up methods answered like everything else; Fiber itself answers them in plain text, before
// any middleware.
func answerUnknownMethods(app *fiber.App, respond *errorResponder) {
	server := app.Server()
	serve := server.Handler
	server.Handler = func(rc *fasthttp.RequestCtx) {
		if isKnownMethod(rc.Method()) {
			serve(rc)
			return
		}
		c := app.AcquireCtx(rc)
		defer app.ReleaseCtx(c)
		c.Set(fiber.HeaderAllow, strings.Join(methods, ", "))
		err := respond.handle(c, apperr.New(apperr.MethodNotAllowed, "This server does not know this method."))
		if err != nil {
			rc.Error(http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		}
	}
}
