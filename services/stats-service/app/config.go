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
	"github.com/tallyboard/tallyboard/services/stats-service/internal/consumer"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/httpapi"
)

// Config is everything that can be set from outside, by environment variables. See the README for the table.
type Config struct {
	// Listen is host:port of the HTTP server. Until there are accounts, everyone who reaches it is the owner.
	Listen string `env:"LISTEN" envDefault:"127.0.0.1:8081"`
	// Migrate brings the service's own schema up to date at the start; otherwise the service waits until somebody else
	// has. It reads tables of task-service, whose migrations come first.
	Migrate bool `env:"MIGRATE" envDefault:"false"`
	// BackgroundPoolSize is the number of database connections for leases, polls and health checks, beside those of
	// DB_POOL_SIZE for requests and one for applying events.
	BackgroundPoolSize int `env:"DB_BACKGROUND_POOL_SIZE" envDefault:"3"`
	// SchemaPoll is the pause between two looks at a schema that is not current, or a database that is not there.
	SchemaPoll time.Duration `env:"SCHEMA_POLL" envDefault:"1s"`
	// MaxStreams is the number of event streams open at once.
	MaxStreams int `env:"STATS_MAX_STREAMS" envDefault:"5000"`

	// ShutdownDelay is how long the service goes on after it has reported itself not ready, so that a load balancer
	// notices before connections are refused.
	ShutdownDelay time.Duration `env:"SHUTDOWN_DELAY" envDefault:"0s"`
	// ShutdownTimeout bounds the shutdown after that delay. It stays below the platform's own patience.
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"25s"`

	Database  db.Config
	NATS      jsbus.Config
	HTTP      fiberx.Config
	API       httpapi.Config
	Consumer  consumer.Config
	Telemetry telemetry.Config
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
		{"STATS_BATCH_SIZE", c.Consumer.BatchSize},
		{"STATS_MAX_STREAMS", c.MaxStreams},
		{"STATS_MEMO_BYTES", c.API.MemoBytes},
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
		{"STATS_POLL_INTERVAL", c.Consumer.PollInterval},
		{"STATS_MONITOR_INTERVAL", c.Consumer.MonitorInterval},
		{"STATS_RETRY_PAUSE", c.Consumer.RetryPause},
		{"STATS_STREAM_POLL", c.API.StreamPoll},
		{"VERIFY_TIMEOUT", c.API.VerifyTimeout},
	} {
		if positive.value <= 0 {
			return fmt.Errorf("%s must be longer than 0", positive.name)
		}
	}
	if c.BackgroundPoolSize < 2 {
		return errors.New("DB_BACKGROUND_POOL_SIZE must be at least 2: the applier may occupy one while its lease is renewed on the other")
	}
	return nil
}

// named returns the configuration with what tells this process from others.
func named(c Config, deps Deps) Config {
	if c.Telemetry.ServiceName == "" {
		c.Telemetry.ServiceName = ServiceName
	}
	c.Telemetry.Version = deps.Version
	c.Telemetry.Spans = deps.Spans
	if deps.Log != nil {
		c.Telemetry.LogWriter = deps.Log
	}
	if c.Telemetry.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		c.Telemetry.Instance = host
	}
	// Two processes may share a host and a configured name; a lease must not.
	c.Consumer.Lease.Holder = fmt.Sprintf("%.80s-%s", c.Telemetry.Instance, uuid.NewString())
	c.HTTP.Service = ServiceName
	c.HTTP.QuietPaths = httpapi.QuietPaths
	return c
}
