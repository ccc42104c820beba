// Package bench measures the product against floors taken in the same run: raw driver transactions and selects on the
// same server. What it prints are ratios, because these hold when the machine's speed does not.
package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
)

// Config of a run.
type Config struct {
	DSN       string        `env:"BENCH_MYSQL_DSN,required" secret:"true"` // go-sql-driver form, a user who may create databases
	BinDir    string        `env:"BENCH_BIN" envDefault:"bin"`             // holds task-service and stats-service
	Clients   int           `env:"BENCH_CLIENTS" envDefault:"16"`          // connections of the load, and of each pool
	Span      time.Duration `env:"BENCH_SPAN" envDefault:"5s"`             // of each measurement
	WarmUp    time.Duration `env:"BENCH_WARMUP" envDefault:"1s"`
	Rounds    int           `env:"BENCH_ROUNDS" envDefault:"3"`          // floor and product in turn; medians are reported
	Tasks     int           `env:"BENCH_TASKS" envDefault:"10000"`       // in the measured project
	ManyTasks int           `env:"BENCH_MANY_TASKS" envDefault:"100000"` // in the project that shows whether lists stay flat
	Only      string        `env:"BENCH_ONLY"`                           // one measurement: get, list, flat, create or tracing; all by default
	Logs      string        `env:"BENCH_LOGS"`                           // file for the services' logs; none by default
}

// Run measures and prints the table to out.
func Run(ctx context.Context, cfg Config, out io.Writer) (err error) {
	logs, closeLogs, err := openLogs(cfg.Logs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLogs()) }()
	b := &bench{cfg: cfg, out: out, logs: logs}
	defer func() { err = errors.Join(err, b.close(context.WithoutCancel(ctx))) }()
	if err := b.setUp(ctx); err != nil {
		return err
	}
	return b.measure(ctx)
}

type bench struct {
	cfg      Config
	out      io.Writer
	logs     io.Writer
	admin    *sql.DB
	database string
	dbPID    int
	version  string
	nats     *server.Server
	natsDir  string
	env      []string // of the services
	task     *service
	stats    *service
}

func openLogs(path string) (io.Writer, func() error, error) {
	if path == "" {
		return io.Discard, func() error { return nil }, nil
	}
	f, err := os.Create(path) //nolint:gosec // the user names it
	if err != nil {
		return nil, nil, fmt.Errorf("log file of the services: %w", err)
	}
	return f, f.Close, nil
}

func (b *bench) setUp(ctx context.Context) (err error) {
	if b.admin, err = openRaw(b.cfg.DSN, 2); err != nil {
		return err
	}
	b.database = "tally_bench_" + strings.ReplaceAll(uuid.NewString()[:8], "-", "")
	if _, err := b.admin.ExecContext(ctx, "CREATE DATABASE "+b.database+" DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"); err != nil {
		return fmt.Errorf("create the benchmark's database: %w", err)
	}
	if err := b.describeServer(ctx); err != nil {
		return err
	}
	if b.natsDir, err = os.MkdirTemp("", "tally-bench-nats"); err != nil {
		return err
	}
	if b.nats, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: b.natsDir, NoSigs: true, NoLog: true}); err != nil {
		return fmt.Errorf("NATS for the benchmark: %w", err)
	}
	go b.nats.Start()
	if !b.nats.ReadyForConnections(20 * time.Second) {
		return errors.New("the benchmark's NATS was not ready within 20 s")
	}
	url, err := databaseURL(b.cfg.DSN, b.database)
	if err != nil {
		return err
	}
	b.env = []string{"DATABASE_URL=" + url, "NATS_URL=" + b.nats.ClientURL(), "DB_POOL_SIZE=" + strconv.Itoa(b.cfg.Clients), "MIGRATE=true", "LOG_LEVEL=warn"}
	// The first start migrates; the second is what readiness is measured on.
	for range 2 {
		if err := errors.Join(stopAll(b.task, b.stats)); err != nil {
			return err
		}
		if b.task, err = startService(ctx, "task-service", filepath.Join(b.cfg.BinDir, "task-service"), b.env, b.logs); err != nil {
			return err
		}
		if b.stats, err = startService(ctx, "stats-service", filepath.Join(b.cfg.BinDir, "stats-service"), b.env, b.logs); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) describeServer(ctx context.Context) error {
	var pidFile, dataDir string
	var binlog, flush, syncBinlog string
	row := b.admin.QueryRowContext(ctx, "SELECT @@version, @@pid_file, @@datadir, @@log_bin, @@innodb_flush_log_at_trx_commit, @@sync_binlog")
	if err := row.Scan(&b.version, &pidFile, &dataDir, &binlog, &flush, &syncBinlog); err != nil {
		return fmt.Errorf("settings of the database server: %w", err)
	}
	b.version = fmt.Sprintf("%s, log_bin=%s, innodb_flush_log_at_trx_commit=%s, sync_binlog=%s", b.version, binlog, flush, syncBinlog)
	if !filepath.IsAbs(pidFile) {
		pidFile = filepath.Join(dataDir, pidFile)
	}
	if text, err := os.ReadFile(pidFile); err == nil { //nolint:gosec // the server names it; where it is elsewhere, its processor time is not reported
		b.dbPID, _ = strconv.Atoi(strings.TrimSpace(string(text))) // 0 means unknown
	}
	return nil
}

// databaseURL turns the driver's DSN into the URL the services take.
func databaseURL(dsn, database string) (string, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "", fmt.Errorf("benchmark DSN: %w", err)
	}
	user := cfg.User
	if cfg.Passwd != "" {
		user += ":" + cfg.Passwd
	}
	return fmt.Sprintf("mysql://%s@%s/%s", user, cfg.Addr, database), nil
}

func stopAll(services ...*service) error {
	var errs []error
	for _, s := range services {
		if s != nil {
			errs = append(errs, s.stop())
		}
	}
	return errors.Join(errs...)
}

func (b *bench) close(ctx context.Context) error {
	errs := []error{stopAll(b.task, b.stats)}
	if b.nats != nil {
		b.nats.Shutdown()
		b.nats.WaitForShutdown()
		errs = append(errs, os.RemoveAll(b.natsDir))
	}
	if b.admin != nil {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		_, err := b.admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+b.database)
		errs = append(errs, err, b.admin.Close())
	}
	return errors.Join(errs...)
}

// dsnFor returns the DSN with the database in it.
func dsnFor(dsn, database string) (string, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "", fmt.Errorf("benchmark DSN: %w", err)
	}
	cfg.DBName = database
	return cfg.FormatDSN(), nil
}
