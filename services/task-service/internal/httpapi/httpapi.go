// Package httpapi speaks HTTP for task-service: it implements the interface generated from api/openapi.yaml, serves that
// description and a page to read it, the live event stream, imports and exports, and the files of the browser UI.
//
// Handlers translate and nothing else: they find out who calls, ask access whether the caller may, turn JSON into the
// domain's inputs, call one service method and encode what it returns. Errors go to the error handler of package fiberx
// unchanged but for the "current" state of a stale version, which gets its JSON form here.
package httpapi

import (
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

// Config has the limits of this package. Zero values take the defaults of the tags.
type Config struct {
	// ImportLimit is the size of an uploaded import at most, in bytes. Other bodies keep the server's own limit.
	ImportLimit int64 `env:"IMPORT_MAX_BYTES" envDefault:"67108864"`
	// ImportTimeout bounds one import, upload included.
	ImportTimeout time.Duration `env:"IMPORT_TIMEOUT" envDefault:"30m"`
	// UploadIdleTimeout is how long an upload may stand still.
	UploadIdleTimeout time.Duration `env:"IMPORT_IDLE_TIMEOUT" envDefault:"30s"`
	// MaxImports is how many imports run at the same time; more are answered with 503.
	MaxImports int `env:"IMPORT_MAX_CONCURRENT" envDefault:"2"`
	// ExportTimeout bounds one export.
	ExportTimeout time.Duration `env:"EXPORT_TIMEOUT" envDefault:"10m"`
	// TempDir holds uploads while they are imported; empty: the system's.
	TempDir string `env:"IMPORT_TEMP_DIR"`
	// AllowedOrigins may send changes although they are not this server's own origin, such as https://board.example.org.
	AllowedOrigins []string `env:"ALLOWED_ORIGINS" envSeparator:","`
	// AllowedHosts are the names (without port) under which requests are answered; empty: all. A server without accounts
	// that listens on loopback should name its own, or any web page can reach it by DNS rebinding.
	AllowedHosts []string `env:"ALLOWED_HOSTS" envSeparator:","`
	// TraceLinkTemplate is the address of a trace's page in another console (Jaeger, Grafana, X-Ray), with {traceId} where
	// the id belongs; empty: there is none.
	TraceLinkTemplate string `env:"TRACE_LINK_TEMPLATE"`
}

func (c Config) withDefaults() Config {
	if c.ImportLimit <= 0 {
		c.ImportLimit = 64 << 20
	}
	if c.ImportTimeout <= 0 {
		c.ImportTimeout = 30 * time.Minute
	}
	if c.UploadIdleTimeout <= 0 {
		c.UploadIdleTimeout = 30 * time.Second
	}
	if c.MaxImports <= 0 {
		c.MaxImports = 2
	}
	if c.ExportTimeout <= 0 {
		c.ExportTimeout = 10 * time.Minute
	}
	return c
}

// Deps are what the handlers work with. All are required but UI (nil: no UI was built), Streams (nil: streams end
// with their clients only), Traces (nil: there are none) and Operations (nil: answered with 503).
type Deps struct {
	Config     Config
	Tasks      Tasks
	Projects   Projects
	People     account.Store
	Importer   Importer
	Exporter   Exporter
	Feed       Feed
	Guard      *access.Guard
	Streams    *fiberx.Streams
	Traces     traces.Source
	Operations Operations
	UI         fs.FS
	Log        *slog.Logger
}

type server struct {
	Deps
	heads     *heads
	snapshots *snapshots
	imports   chan struct{} // slots of running imports
	spec      staticFile
	docs      func() (staticFile, error)
}

var _ wire.ServerInterface = (*server)(nil)

// Mount adds all routes of the service but the operations endpoints to app, which comes from fiberx.New with [Streamed]. It
// must be the last to add routes, because the UI answers what nobody else does. It switches the server of app to streamed
// request bodies; see streamBodies.
func Mount(app *fiber.App, d Deps) error {
	d.Config = d.Config.withDefaults()
	if err := checkTraceLink(d.Config.TraceLinkTemplate); err != nil {
		return err
	}
	if d.Traces == nil {
		d.Traces = traces.None{}
	}
	description, err := loadDescription()
	if err != nil {
		return err
	}
	s := &server{
		Deps: d, heads: newHeads(d.Tasks.LastPos), snapshots: newSnapshots(d.Tasks, d.Projects),
		imports: make(chan struct{}, d.Config.MaxImports), spec: newStaticFile(mimeYAML, description.source),
		docs: description.page(),
	}
	streamBodies(app, Streamed)
	app.Use(s.allowHost, securityHeaders, refuseUnreadBody)
	app.Use("/api", s.sameOrigin, s.identify, presentErrors)
	wire.RegisterHandlers(checkedRouter{Router: app, checks: description.checks}, s)
	if err := s.mountUI(app); err != nil {
		return err
	}
	return nil
}

// Streamed reports whether a path is one of an import, whose body is read as a stream. It is what the server's
// fiberx.Config.Streamed must be.
func Streamed(path string) bool {
	return strings.HasPrefix(path, "/api/v1/projects/") && strings.HasSuffix(path, "/import")
}
