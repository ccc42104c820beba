package provision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	statsapp "github.com/tallyboard/tallyboard/services/stats-service/app"
	taskapp "github.com/tallyboard/tallyboard/services/task-service/app"
)

// ApplyConfig says what to set up. Every secret may come from a file: see boot.LoadConfig.
type ApplyConfig struct {
	// AdminURL is the database server as its administrator sees it, without a database: mysql://root@host:3306/ or
	// postgres://postgres@host:5432/postgres.
	AdminURL string `env:"DATABASE_ADMIN_URL,required" secret:"true"`
	// AdminPassword replaces the one in AdminURL.
	AdminPassword string `env:"DATABASE_ADMIN_PASSWORD" secret:"true"`
	// CAFile is a PEM file with the certificate authorities to trust; it turns TLS with verification on, also for the
	// users that are made: they get in by no other way.
	CAFile string `env:"DATABASE_CA_FILE"`
	// Database is the name of Tallyboard's database.
	Database string `env:"DATABASE_NAME" envDefault:"tallyboard"`
	// MigratePassword, TaskPassword and StatsPassword are given to the three users.
	MigratePassword string `env:"MIGRATE_PASSWORD,required" secret:"true"`
	TaskPassword    string `env:"TASK_PASSWORD,required" secret:"true"`
	StatsPassword   string `env:"STATS_PASSWORD,required" secret:"true"`
	// SQLDir has mysql/ and postgres/ with users.sql and grants.sql.
	SQLDir string `env:"PROVISION_SQL_DIR" envDefault:"/sql"`
	// DiscardStream removes the stream before it is made anew; needed after a restore of the database.
	DiscardStream bool `env:"PROVISION_DISCARD_STREAM" envDefault:"false"`
	// Consumers are the durable consumers of the stream.
	Consumers []string `env:"PROVISION_CONSUMERS" envSeparator:"," envDefault:"stats"`
	// Timeout bounds the whole, including the wait for servers that are still starting.
	Timeout time.Duration `env:"PROVISION_TIMEOUT" envDefault:"2m"`
	// Retry is the pause between two attempts to reach a server.
	Retry time.Duration `env:"PROVISION_RETRY" envDefault:"500ms"`
	NATS  jsbus.Config
}

// Validate implements what boot.LoadConfig asks for.
func (c ApplyConfig) Validate() error {
	if _, err := db.EngineOf(c.AdminURL); err != nil {
		return fmt.Errorf("DATABASE_ADMIN_URL: %w", err)
	}
	for _, r := range c.Database {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return errors.New("DATABASE_NAME must be of lower-case letters, digits and _")
		}
	}
	if c.Database == "" {
		return errors.New("DATABASE_NAME must not be empty")
	}
	return nil
}

// The database users that users.sql makes.
const (
	migrateUser = "tallyboard_migrate"
	taskUser    = "tallyboard_task"
	statsUser   = "tallyboard_stats"
)

// Apply sets the database and NATS up, and returns when services can start. Servers that are not there yet are waited for.
func Apply(ctx context.Context, cfg ApplyConfig, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	scripts, err := readScripts(cfg)
	if err != nil {
		return err
	}
	admin, err := cfg.adminURL("")
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "making the database and its users")
	err = cfg.untilReachable(ctx, log, "the database", func(ctx context.Context) error {
		return makeDatabase(ctx, admin, cfg.Database, scripts.users)
	})
	if err != nil {
		return fmt.Errorf("make the database and its users: %w", err)
	}
	if err := cfg.migrate(ctx, log); err != nil {
		return err
	}
	inside, err := cfg.adminURL(cfg.Database)
	if err != nil {
		return err
	}
	if err := runScript(ctx, inside, scripts.grants); err != nil {
		return fmt.Errorf("grant rights: %w", err)
	}
	log.InfoContext(ctx, "schema and rights are current")
	if cfg.CAFile != "" {
		if err := rereadCertificates(ctx, admin); err != nil {
			log.WarnContext(ctx, "the database does not read its certificates anew; restart it before they expire", "error", err)
		}
	}
	return cfg.provisionStream(ctx, log)
}

// migrate brings the schema up to date as the user who may, in the order the services need.
func (c ApplyConfig) migrate(ctx context.Context, log *slog.Logger) error {
	migrateURL, err := c.urlAs(migrateUser, c.MigratePassword, c.Database)
	if err != nil {
		return err
	}
	if err := taskapp.Migrate(ctx, migrateURL, log); err != nil {
		return fmt.Errorf("migrate the schema of task-service: %w", err)
	}
	if err := statsapp.Migrate(ctx, migrateURL, log); err != nil {
		return fmt.Errorf("migrate the schema of stats-service: %w", err)
	}
	return nil
}

// provisionStream makes the stream and its consumers.
func (c ApplyConfig) provisionStream(ctx context.Context, log *slog.Logger) error {
	c.NATS.Name = "provision"
	bus, err := jsbus.Connect(ctx, c.NATS, telemetry.Nop(), log)
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	err = c.untilReachable(ctx, log, "NATS", func(ctx context.Context) error {
		if !bus.Connected() {
			return errors.Join(errNotConnected, reasonError(bus.Reason()))
		}
		if c.DiscardStream {
			if err := bus.Discard(ctx); err != nil {
				return err
			}
			log.WarnContext(ctx, "the stream was discarded; services go on from the database")
		}
		return bus.Provision(ctx, c.Consumers...)
	})
	if err == nil {
		log.InfoContext(ctx, "stream and consumers are in place", "consumers", c.Consumers, "replicas", c.NATS.Replicas)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return errors.Join(err, bus.Close(stop))
}

// closeTimeout bounds the end of the connection to NATS.
const closeTimeout = 5 * time.Second

// reasonError makes an error of a reason, and none of no reason.
func reasonError(reason string) error {
	if reason == "" {
		return nil
	}
	return errors.New(reason)
}

// errNotConnected says that NATS is not there yet, or does not know this identity.
var errNotConnected = errors.New("there is no connection (is the server running, and does it know this identity?)")

// untilReachable calls attempt until it succeeds. It gives up at once at errors that waiting does not mend, and else with
// the context.
func (c ApplyConfig) untilReachable(ctx context.Context, log *slog.Logger, what string, attempt func(context.Context) error) error {
	for said := false; ; {
		err := attempt(ctx)
		if err == nil || permanent(err) {
			return err
		}
		if !said {
			said = true
			attrs := []any{"server", what, "error", err}
			if reason := db.Reason(err); reason != "" {
				attrs = append(attrs, "reason", reason)
			}
			log.InfoContext(ctx, "waiting for a server", attrs...)
		}
		timer := time.NewTimer(c.Retry)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%s did not become ready within %s: %w", what, c.Timeout, err)
		case <-timer.C:
		}
	}
}

// adminURL returns the administrator's URL for a database; "" is the one it names itself.
func (c ApplyConfig) adminURL(database string) (string, error) {
	return c.resolve(c.AdminPassword, func(u *url.URL) {
		if database != "" {
			u.Path = "/" + database
		}
	})
}

// urlAs returns the server's URL for another user.
func (c ApplyConfig) urlAs(user, secret, database string) (string, error) {
	return c.resolve(secret, func(u *url.URL) { u.User, u.Path = url.User(user), "/"+database })
}

// resolve returns AdminURL with a change, and with a password and the way of TLS in it.
func (c ApplyConfig) resolve(secret string, change func(*url.URL)) (string, error) {
	u, err := url.Parse(c.AdminURL)
	if err != nil {
		return "", errors.New("DATABASE_ADMIN_URL is not a valid URL")
	}
	change(u)
	resolved, err := db.Config{URL: u.String(), Password: secret, CAFile: c.CAFile}.ResolvedURL()
	if err != nil {
		return "", fmt.Errorf("DATABASE_ADMIN_URL: %w", err)
	}
	return resolved, nil
}
