// Package db opens the connection pools of both engines, migrates their schemas, and says what an error of theirs means.
//
// The engine follows from the URL's scheme: mysql:// is MySQL 8.x/9.x or MariaDB 10.11+ by go-sql-driver/mysql,
// postgres:// and postgresql:// are PostgreSQL by pgx. Pools are small (five by default) and never grow; who waits for a
// connection waits as long as its context allows. Every session speaks UTC, READ COMMITTED and UTF-8, and refuses what
// would be cut or guessed (strict mode). Opening a pool does not need the database: a service starts while it is away.
package db

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// Engine is one of the two SQL dialects.
type Engine string

// The engines. MariaDB counts as MySQL.
const (
	MySQL    Engine = "mysql"
	Postgres Engine = "postgres"
)

// DefaultPoolSize is the number of connections of a pool whose Config and Options name none.
const DefaultPoolSize = 5

// Config says where the database is and how its pools behave. Durations of zero take the defaults of the tags.
type Config struct {
	// URL is mysql://user:password@host:port/name or postgres://user:password@host:port/name. Parameters after "?" go
	// to the driver (such as tls=true or sslmode=verify-full).
	URL string `env:"DATABASE_URL,required" secret:"true"`
	// Password replaces the one in URL, for platforms that inject it separately.
	Password string `env:"DATABASE_PASSWORD" secret:"true"`
	// CAFile is a PEM file with the certificate authorities to trust; it turns TLS with verification on, for the host name in URL.
	CAFile string `env:"DATABASE_CA_FILE"`
	// PoolSize is the number of connections at most.
	PoolSize int `env:"DB_POOL_SIZE" envDefault:"5"`
	// ConnectTimeout bounds the making of one connection.
	ConnectTimeout time.Duration `env:"DB_CONNECT_TIMEOUT" envDefault:"5s"`
	// ConnMaxLifetime is the age at which a connection is replaced, so that a moved database or a new replica is found.
	ConnMaxLifetime time.Duration `env:"DB_CONN_MAX_LIFETIME" envDefault:"30m"`
	// ConnMaxIdleTime is how long an unused connection is kept.
	ConnMaxIdleTime time.Duration `env:"DB_CONN_MAX_IDLE_TIME" envDefault:"5m"`
	// StatementTimeout is when the server gives up a statement (on MySQL: a SELECT), a net below the request's deadline.
	StatementTimeout time.Duration `env:"DB_STATEMENT_TIMEOUT" envDefault:"30s"`
	// LockTimeout is how long a statement waits for a row lock.
	LockTimeout time.Duration `env:"DB_LOCK_TIMEOUT" envDefault:"5s"`
	// TransactionIdle is how long a transaction may wait for its instance's next statement until the server rolls it back:
	// so long an instance that hangs or was cut off keeps others from what it has locked. MySQL and MariaDB have such a limit
	// for connections only, in whole seconds, so idle ones are not kept for longer than ConnMaxIdleTime and two thirds of it.
	TransactionIdle time.Duration `env:"DB_TRANSACTION_IDLE" envDefault:"3s"`
	// SocketTimeout is when a silent network ends a MySQL read or write. It must exceed StatementTimeout.
	SocketTimeout time.Duration `env:"DB_SOCKET_TIMEOUT" envDefault:"60s"`
}

// withDefaults fills what a Config made without the environment leaves at zero.
func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	if c.PoolSize <= 0 {
		c.PoolSize = DefaultPoolSize
	}
	def(&c.ConnectTimeout, 5*time.Second)
	def(&c.ConnMaxLifetime, 30*time.Minute)
	def(&c.ConnMaxIdleTime, 5*time.Minute)
	def(&c.StatementTimeout, 30*time.Second)
	def(&c.LockTimeout, 5*time.Second)
	def(&c.TransactionIdle, 3*time.Second)
	def(&c.SocketTimeout, 60*time.Second)
	return c
}

// Options tell one pool of a Config from another.
type Options struct {
	// Tracer makes a span of every statement. Pools of background pollers leave it off.
	Tracer bool
	// Telemetry receives spans and the pool's gauges; nil means neither.
	Telemetry *telemetry.Telemetry
	// Name is the pool's name in gauges, and what the database shows for the connection.
	Name string
	// PoolSize overrides Config.PoolSize when positive.
	PoolSize int
	// Pulse learns whether the database answers; nil: nobody does.
	Pulse *Pulse
}

func (o Options) poolSize(cfg Config) int {
	if o.PoolSize > 0 {
		return o.PoolSize
	}
	return cfg.PoolSize
}

func (o Options) name() string {
	if o.Name != "" {
		return o.Name
	}
	return "main"
}

// EngineOf returns the engine that a URL's scheme names. The error does not repeat the URL, which has a password in it.
func EngineOf(rawURL string) (Engine, error) {
	scheme, _, ok := strings.Cut(rawURL, "://")
	if ok {
		switch strings.ToLower(scheme) {
		case "mysql", "mariadb":
			return MySQL, nil
		case "postgres", "postgresql":
			return Postgres, nil
		}
		return "", fmt.Errorf("database URL: scheme must be mysql:// or postgres://, not %q", scheme+"://")
	}
	return "", errors.New("database URL: must start with mysql:// or postgres://")
}

// parseURL is url.Parse whose error does not repeat the URL.
func parseURL(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return nil, fmt.Errorf("database URL: %w (characters such as @ : / ? # %% in a password must be percent-encoded)", err)
	}
	return u, nil
}

// caFileParameter is the parameter of a mysql:// URL that does what CAFile does. PostgreSQL has sslrootcert.
const caFileParameter = "ca-file"

// ResolvedURL returns URL with Password and CAFile in it, for functions that take a URL only. It is a secret.
func (c Config) ResolvedURL() (string, error) {
	if c.Password == "" && c.CAFile == "" {
		return c.URL, nil
	}
	engine, err := EngineOf(c.URL)
	if err != nil {
		return "", err
	}
	u, err := parseURL(c.URL)
	if err != nil {
		return "", err
	}
	if c.Password != "" {
		u.User = url.UserPassword(u.User.Username(), c.Password)
	}
	if c.CAFile != "" {
		query := u.Query()
		if engine == MySQL {
			query.Set(caFileParameter, c.CAFile)
		} else {
			query.Set("sslmode", "verify-full")
			query.Set("sslrootcert", c.CAFile)
		}
		u.RawQuery = query.Encode()
	}
	return u.String(), nil
}
