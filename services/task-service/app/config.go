package app

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi"
	"github.com/tallyboard/tallyboard/services/task-service/internal/live"
	"github.com/tallyboard/tallyboard/services/task-service/internal/outbox"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Config is everything that can be set from outside, by environment variables. See the README for the table.
type Config struct {
	// Listen is host:port of the HTTP server. Until there are accounts, everyone who reaches it is the owner.
	Listen string `env:"LISTEN" envDefault:"127.0.0.1:8080"`
	// Migrate brings the schema up to date at the start; otherwise the service waits until somebody else has.
	Migrate bool `env:"MIGRATE" envDefault:"false"`
	// BackgroundPoolSize is the number of database connections for the relay, the live feed and health checks, beside
	// those of DB_POOL_SIZE for requests.
	BackgroundPoolSize int `env:"DB_BACKGROUND_POOL_SIZE" envDefault:"3"`
	// SchemaPoll is the pause between two looks at a schema that is not current, or a database that is not there.
	SchemaPoll time.Duration `env:"SCHEMA_POLL" envDefault:"1s"`

	// ShutdownDelay is how long the service goes on after it has reported itself not ready, so that a load balancer
	// notices before connections are refused.
	ShutdownDelay time.Duration `env:"SHUTDOWN_DELAY" envDefault:"0s"`
	// ShutdownTimeout bounds the shutdown after that delay. It stays below the platform's own patience.
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"25s"`

	Database  db.Config
	NATS      jsbus.Config
	HTTP      fiberx.Config
	API       httpapi.Config
	Create    task.BatchConfig
	Relay     outbox.Config
	Live      live.Config
	Telemetry telemetry.Config
	Traces    traces.JaegerConfig
}

// Validate reports what cannot work. boot.LoadConfig calls it.
func (c *Config) Validate() error {
	if _, err := db.EngineOf(c.Database.URL); err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	for _, positive := range []struct {
		name  string
		value int
	}{
		{"DB_POOL_SIZE", c.Database.PoolSize},
		{"DB_BACKGROUND_POOL_SIZE", c.BackgroundPoolSize},
		{"LIVE_MAX_SUBSCRIBERS", c.Live.MaxSubscribers},
		{"LIVE_READ_BATCH", c.Live.ReadBatch},
		{"RELAY_ASSIGN_BATCH", c.Relay.AssignBatch},
		{"RELAY_PUBLISH_BATCH", c.Relay.PublishBatch},
	} {
		if positive.value < 1 {
			return fmt.Errorf("%s must be at least 1", positive.name)
		}
	}
	for _, positive := range []struct {
		name  string
		value time.Duration
	}{
		{"SCHEMA_POLL", c.SchemaPoll},
		{"SHUTDOWN_TIMEOUT", c.ShutdownTimeout},
		{"LIVE_POLL", c.Live.Poll},
		{"LIVE_FAST_POLL", c.Live.FastPoll},
		{"RELAY_POLL", c.Relay.Poll},
		{"RELAY_BACKOFF_MIN", c.Relay.BackoffMin},
		{"RELAY_BACKOFF_MAX", c.Relay.BackoffMax},
		{"RELAY_BACKLOG_EVERY", c.Relay.BacklogEvery},
		{"IDEMPOTENCY_SWEEP", c.Relay.ForgetKeysEvery},
	} {
		if positive.value <= 0 {
			return fmt.Errorf("%s must be longer than 0", positive.name)
		}
	}
	if c.BackgroundPoolSize < 2 {
		return errors.New("DB_BACKGROUND_POOL_SIZE must be at least 2: the relay may occupy one while its lease is renewed on the other")
	}
	return nil
}

// named fills in what tells this process from others.
func (c *Config) named(deps Deps) Config {
	named := *c
	if named.Telemetry.ServiceName == "" {
		named.Telemetry.ServiceName = ServiceName
	}
	named.Telemetry.Version = deps.Version
	named.Telemetry.Spans = deps.Spans
	if deps.Log != nil {
		named.Telemetry.LogWriter = deps.Log
	}
	if named.Telemetry.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		named.Telemetry.Instance = host
	}
	// Two processes may share a host and a configured name; a lease must not.
	named.Relay.Lease.Holder = fmt.Sprintf("%.80s-%s", named.Telemetry.Instance, uuid.NewString())
	named.HTTP.Service = ServiceName
	named.HTTP.QuietPaths = httpapi.QuietPaths
	return named
}
