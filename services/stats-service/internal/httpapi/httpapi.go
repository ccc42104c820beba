// Package httpapi speaks HTTP for stats-service, as api/openapi.yaml describes it: statistics as JSON and CSV, the stream
// that says when they have changed, and the operations on the projections.
//
// Handlers translate and nothing else: they find out who calls, ask access whether the caller may, parse the query, and
// let the domain compute over one snapshot of the projections. What was computed is remembered for as long as the
// project's projections stay as they are.
package httpapi

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// Prefix of all paths.
const Prefix = "/api/v1/stats"

// QuietPaths are requests about the state of the projections: watching must not add to what is watched.
var QuietPaths = []string{Prefix + "/status"}

// Config has the limits of this package. Zero values take the defaults of the tags.
type Config struct {
	// StaleAfter is for how long an event may be on its way before answers say that they are stale.
	StaleAfter time.Duration `env:"STATS_STALE_AFTER" envDefault:"2s"`
	// VerifyTimeout bounds one verification.
	VerifyTimeout time.Duration `env:"VERIFY_TIMEOUT" envDefault:"2m"`
	// MemoBytes is how much of what was computed is remembered, in bytes.
	MemoBytes int `env:"STATS_MEMO_BYTES" envDefault:"8388608"`
	// StreamPoll is how often streams look for changes that no wake-up announced.
	StreamPoll time.Duration `env:"STATS_STREAM_POLL" envDefault:"1s"`
	// StreamPause is the shortest time between two looks.
	StreamPause time.Duration `env:"STATS_STREAM_PAUSE" envDefault:"100ms"`
	// AllowedOrigins may send changes although they are not this server's own origin.
	AllowedOrigins []string `env:"ALLOWED_ORIGINS" envSeparator:","`
	// AllowedHosts are the names (without port) under which requests are answered; empty: all.
	AllowedHosts []string `env:"ALLOWED_HOSTS" envSeparator:","`
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.StaleAfter, 2*time.Second)
	def(&c.VerifyTimeout, 2*time.Minute)
	def(&c.StreamPoll, time.Second)
	def(&c.StreamPause, 100*time.Millisecond)
	if c.MemoBytes <= 0 {
		c.MemoBytes = 8 << 20
	}
	return c
}

// Reader reads projections.
type Reader interface {
	Project(ctx context.Context, key string) (stats.ProjectRef, error)
	View(ctx context.Context, project uuid.UUID, fn func(stats.View) error) error
}

// Operator works on the projections as a whole.
type Operator interface {
	Status(ctx context.Context, parked int) (stats.Status, error)
	Verify(ctx context.Context, limit int) (*stats.Verification, error)
	Retry(ctx context.Context, id uuid.UUID) (stats.Retried, error)
}

// Applier is this instance's part in applying events.
type Applier interface {
	Leading() bool
	Source() string
}

// Link is the connection to NATS.
type Link interface {
	Connected() bool
	Since() time.Time
}

// Deps are what the handlers work with. All are required but Streams (nil: streams end with their clients only) and Now.
type Deps struct {
	Config   Config
	Reader   Reader
	Operator Operator
	Applier  Applier
	Link     Link
	Hub      *Hub
	Guard    *access.Guard
	Streams  *fiberx.Streams
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now
}

type server struct {
	Deps
	memo      *memo
	verifying sync.Mutex
}

// Mount adds all routes of the service but the operations endpoints to app, which comes from fiberx.New.
func Mount(app *fiber.App, d Deps) error {
	d.Config = d.Config.withDefaults()
	if d.Now == nil {
		d.Now = time.Now
	}
	s := &server{Deps: d, memo: newMemo(d.Config.MemoBytes)}
	pages, err := newPages()
	if err != nil {
		return err
	}
	app.Use(s.allowHost, securityHeaders)
	api := app.Group(Prefix, s.sameOrigin, s.identify)
	project := func(path string, a answer) { api.Get("/projects/:key/"+path, s.answer(a)) }
	project("summary", summary)
	project("throughput", throughput)
	project("times", times)
	project("flow", flow)
	project("ageing", ageing)
	project("burnup", burnup)
	project("forecast", forecast)
	project("overdue", overdue)
	api.Get("/projects/:key/events", s.events)
	api.Get("/status", s.operate(s.status))
	api.Get("/verify", s.operate(s.verify))
	api.Post("/parked/:task/retry", s.operate(s.retry))
	api.Get("/openapi.yaml", pages.spec)
	api.Get("/docs", pages.docs)
	return nil
}

// identify puts the caller into the context.
func (s *server) identify(c *fiber.Ctx) error {
	bearer, _ := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	caller, err := s.Guard.Identify(c.UserContext(), access.Credentials{SessionCookie: c.Cookies(sessionCookie), Bearer: bearer})
	if err != nil {
		return err
	}
	c.SetUserContext(access.WithCaller(c.UserContext(), caller))
	return c.Next()
}

// sessionCookie is the name of the session's cookie.
const sessionCookie = "__Host-tallyboard"

// project looks up the project of the path, if the caller may read it.
func (s *server) project(c *fiber.Ctx) (stats.ProjectRef, access.Caller, error) {
	caller, _ := access.CallerFrom(c.UserContext()) // nobody is refused by Check
	key := strings.ToUpper(c.Params("key"))
	if !validKey(key) {
		return stats.ProjectRef{}, caller, apperr.New(apperr.NotFound, "There is no such project.")
	}
	ref, err := s.Reader.Project(c.UserContext(), key)
	if err != nil {
		return ref, caller, err
	}
	return ref, caller, s.Guard.Check(c.UserContext(), caller, access.ReadProject, ref.ID)
}

// maxKey is the length of a project's key.
const maxKey = 10

func validKey(key string) bool {
	if len(key) < 2 || len(key) > maxKey || key[0] < 'A' || key[0] > 'Z' {
		return false
	}
	for _, b := range []byte(key[1:]) {
		if (b < 'A' || b > 'Z') && (b < '0' || b > '9') {
			return false
		}
	}
	return true
}

// operate lets only those in who may operate the site.
func (s *server) operate(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		caller, _ := access.CallerFrom(c.UserContext()) // nobody is refused by Check
		if err := s.Guard.Check(c.UserContext(), caller, access.OperateSite, uuid.Nil); err != nil {
			return err
		}
		return h(c)
	}
}
