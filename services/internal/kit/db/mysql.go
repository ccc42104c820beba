package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// sqlMode makes the server refuse what it would otherwise cut, round or guess. All of it exists in MySQL 8/9 and MariaDB.
const sqlMode = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

// OpenMySQL returns a pool for a mysql:// URL. It does not connect; errors are about the configuration only. Affected
// rows count the rows that matched, not those that changed.
func OpenMySQL(_ context.Context, cfg Config, o Options) (*sql.DB, error) {
	cfg = cfg.withDefaults()
	dsn, err := mysqlConfig(cfg)
	if err != nil {
		return nil, err
	}
	connector, err := newMySQLConnector(cfg, o, cfg.StatementTimeout)
	if err != nil {
		return nil, err
	}
	idle := min(cfg.ConnMaxIdleTime, cfg.mysqlWaitTimeout()*2/3)
	connector = guardedConnector{connector, &guard{pulse: o.Pulse, idle: idle}}
	observer, err := newObserver(o, mysqlTarget(dsn))
	if err != nil {
		return nil, err
	}
	if observer != nil {
		connector = observedConnector{connector, observer}
	}
	pool := sql.OpenDB(connector)
	size := o.poolSize(cfg)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxLifetime(cfg.ConnMaxLifetime)
	pool.SetConnMaxIdleTime(idle)
	if o.Telemetry != nil {
		if err := registerGauges(o.Telemetry.Meter, o.name(), func() PoolStats { return MySQLStats(pool) }); err != nil {
			return nil, errors.Join(err, pool.Close())
		}
	}
	return pool, nil
}

// mysqlConnector sets up each new session with what cannot be said in a DSN on both MySQL and MariaDB.
type mysqlConnector struct {
	driver.Connector
	setup []string
}

func (c mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("mysql driver cannot execute statements"), conn.Close())
	}
	for _, statement := range c.setup {
		if _, err := execer.ExecContext(ctx, statement, nil); err != nil {
			return nil, errors.Join(fmt.Errorf("set up mysql session: %w", err), conn.Close())
		}
	}
	return conn, nil
}

// newMySQLConnector translates the URL for the driver. A statementTimeout of zero sets none.
func newMySQLConnector(cfg Config, o Options, statementTimeout time.Duration) (driver.Connector, error) {
	dsn, err := mysqlConfig(cfg)
	if err != nil {
		return nil, err
	}
	dsn.ConnectionAttributes = "program_name:tallyboard-" + o.name()
	connector, err := mysql.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	limits := fmt.Sprintf("SET SESSION time_zone='+00:00', sql_mode='%s', innodb_lock_wait_timeout=%d",
		sqlMode, max(1, int(cfg.LockTimeout/time.Second)))
	if statementTimeout > 0 { // not for migrations, whose lock is held by a connection that says nothing
		limits += fmt.Sprintf(", wait_timeout=%d", int(cfg.mysqlWaitTimeout()/time.Second))
		// MySQL reads the first comment only, MariaDB the second only: each has its own name and unit for the limit.
		limits += fmt.Sprintf(" /*!50708 , max_execution_time=%d */ /*M!100101 , max_statement_time=%g */",
			statementTimeout.Milliseconds(), statementTimeout.Seconds())
	}
	return mysqlConnector{connector, []string{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", limits}}, nil
}

// mysqlWaitTimeout is the server's limit for a connection that says nothing: whole seconds, at least two, lest a pool has
// no time to be done with a connection before the server is.
func (c Config) mysqlWaitTimeout() time.Duration {
	return max(2*time.Second, c.TransactionIdle.Truncate(time.Second))
}

func mysqlConfig(cfg Config) (*mysql.Config, error) {
	cfg = cfg.withDefaults()
	u, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if engine, err := EngineOf(cfg.URL); err != nil {
		return nil, err
	} else if engine != MySQL {
		return nil, errors.New("database URL: mysql:// expected")
	}
	query := u.Query()
	socket := query.Get("socket")
	query.Del("socket")
	if file := query.Get(caFileParameter); file != "" {
		cfg.CAFile = file
		query.Del(caFileParameter)
	}
	dsn, err := mysql.ParseDSN("/?" + query.Encode())
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	dsn.Net, dsn.Addr = "tcp", net.JoinHostPort(u.Hostname(), portOr(u.Port(), "3306"))
	if socket != "" {
		dsn.Net, dsn.Addr = "unix", socket
	} else if u.Hostname() == "" {
		return nil, errors.New("database URL: host is missing")
	}
	dsn.DBName = strings.TrimPrefix(u.Path, "/")
	if u.User != nil {
		dsn.User = u.User.Username()
		dsn.Passwd, _ = u.User.Password()
	}
	if cfg.Password != "" {
		dsn.Passwd = cfg.Password
	}
	if cfg.CAFile != "" {
		trusted := authorities{cfg.CAFile, u.Hostname()}
		if dsn.TLS, err = trusted.config(); err != nil {
			return nil, err
		}
		if err := dsn.Apply(mysql.BeforeConnect(trusted.beforeMySQL)); err != nil {
			return nil, fmt.Errorf("DATABASE_CA_FILE: %w", err)
		}
	}
	dsn.Collation = "utf8mb4_unicode_ci"
	dsn.InterpolateParams = true // one round trip per statement instead of three
	dsn.ParseTime = true
	dsn.Loc = time.UTC
	dsn.ClientFoundRows = true
	dsn.Timeout = cfg.ConnectTimeout
	dsn.ReadTimeout, dsn.WriteTimeout = cfg.SocketTimeout, cfg.SocketTimeout
	dsn.Logger = quietLogger{}
	return dsn, nil
}

// mysqlTarget says where a connection goes. MariaDB is called mysql as well: which it is shows only when connected.
func mysqlTarget(dsn *mysql.Config) target {
	to := target{system: semconv.DBSystemNameMySQL, host: dsn.Addr, namespace: dsn.DBName}
	if host, port, err := net.SplitHostPort(dsn.Addr); err == nil && dsn.Net == "tcp" {
		to.host = host
		to.port, _ = strconv.Atoi(port) // without a number there is none to tell
	}
	return to
}

func portOr(port, fallback string) string {
	if port == "" {
		return fallback
	}
	return port
}

// quietLogger takes the driver's remarks about broken connections to debug level: the caller gets the error itself.
type quietLogger struct{}

func (quietLogger) Print(v ...any) { slog.Debug("mysql driver", "message", fmt.Sprint(v...)) }
