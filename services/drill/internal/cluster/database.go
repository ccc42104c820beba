package cluster

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit/ports"
)

// databaseName is the database both services share.
const databaseName = "tallyboard"

// maxConnections is what the server admits; the pools of all instances together are far below.
const maxConnections = "200"

// Database is a database server with its data in the drill's folder. It syncs every commit, as servers of worth do.
type Database struct {
	*proc.Process
	Engine Engine
	addr   string
}

// newDatabase makes a data directory for the engine in dir/disk; the server does not run yet.
func (c *Cluster) newDatabase(ctx context.Context, dir string, who *proc.User) (*Database, error) {
	e := c.cfg.Engine
	bin, err := find(ctx, e, c.cfg.Script)
	if err != nil {
		return nil, err
	}
	addr, err := ports.FreeAddr()
	if err != nil {
		return nil, err
	}
	data, run := filepath.Join(dir, diskFolder, "data"), filepath.Join(dir, "run")
	for _, folder := range []string{c.outside(data), run} {
		if err := makeFolder(folder, who); err != nil {
			return nil, fmt.Errorf("make the database's folder: %w", err)
		}
	}
	var initialise, args []string
	switch e {
	case MySQL:
		initialise, args = mysqlCommands(bin, data, run, addr)
	case Postgres:
		initialise, args = postgresCommands(bin, data, addr)
	}
	path, args := bin.command(args...)
	spec := c.enter(proc.Spec{Name: "database", Path: path, Args: args, Env: []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}, Dir: dir, Logs: c.cfg.Logs, User: who})
	first := c.enter(proc.Spec{Path: initialise[0], Args: initialise[1:], User: who})
	cmd := exec.CommandContext(ctx, first.Path, first.Args...) //nolint:gosec // the server that was found
	cmd.Dir = dir
	proc.As(cmd, first.User)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initialise %s: %w\n%s", e, err, out)
	}
	return &Database{Engine: e, addr: addr, Process: proc.New(spec)}, nil
}

// mysqlCommands returns how to initialise and how to run the server.
func mysqlCommands(bin binary, data, run, addr string) (initialise, serve []string) {
	_, port, _ := net.SplitHostPort(addr) // ports'
	base := filepath.Dir(filepath.Dir(bin.path))
	common := []string{"--no-defaults", "--basedir=" + base, "--datadir=" + data, "--tmpdir=" + run, "--mysqlx=OFF"}
	for _, share := range []string{filepath.Join(base, "share", "mysql"), filepath.Join(base, "share")} {
		if exists(filepath.Join(share, "english")) {
			common = append(common, "--lc-messages-dir="+share)
			break
		}
	}
	path, args := bin.command(append(append([]string(nil), common...), "--initialize-insecure")...)
	return append([]string{path}, args...), append(common,
		"--bind-address=127.0.0.1", "--port="+port, "--socket="+filepath.Join(run, "mysql.sock"), "--pid-file="+filepath.Join(run, "pid"),
		"--secure-file-priv=", "--performance-schema=OFF", "--max-connections="+maxConnections, "--innodb-buffer-pool-size=128M",
		"--log-bin=binlog", "--server-id=1", "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1")
}

// postgresCommands does the same. The log is made of small pieces: a new one is needed soon, also on a disk that is full.
func postgresCommands(bin binary, data, addr string) (initialise, serve []string) {
	_, port, _ := net.SplitHostPort(addr) // ports'
	initialise = []string{filepath.Join(filepath.Dir(bin.path), "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C", "--wal-segsize=1"}
	return initialise, []string{"-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "max_connections=" + maxConnections, "-c", "shared_buffers=128MB"}
}

// Addr returns host:port of the server.
func (d *Database) Addr() string { return d.addr }

// URL returns what a service connects to as a user, by way of addr. An empty user is the server's own, an empty name the
// services' database.
func (d *Database) URL(user, addr, name string) string {
	name = cmp.Or(name, databaseName)
	if d.Engine == Postgres {
		return "postgres://" + cmp.Or(user, "postgres") + "@" + addr + "/" + name + "?sslmode=disable"
	}
	return "mysql://" + cmp.Or(user, "root") + "@" + addr + "/" + name
}

// Open returns connections of the drill's own, past the proxies.
func (d *Database) Open() (*sql.DB, error) { return d.open(databaseName) }

func (d *Database) open(name string) (*sql.DB, error) {
	if d.Engine == Postgres {
		cfg, err := pgx.ParseConfig(d.URL("", d.addr, cmp.Or(name, "postgres")))
		if err != nil {
			return nil, fmt.Errorf("configure the driver: %w", err)
		}
		return stdlib.OpenDB(*cfg), nil
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.DBName, cfg.ParseTime = "tcp", d.addr, "root", name, true
	cfg.Logger = &mysql.NopLogger{} // errors are returned as well
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("configure the driver: %w", err)
	}
	return sql.OpenDB(connector), nil
}

// Up starts the server and waits until it accepts connections.
func (d *Database) Up(ctx context.Context) error {
	if err := d.Start(); err != nil {
		return err
	}
	return d.Ready(ctx)
}

// Ready waits until the server answers a statement.
func (d *Database) Ready(ctx context.Context) error {
	db, err := d.open("")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	return d.Await(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, tryFor)
		defer cancel()
		_, err := db.ExecContext(ctx, "SELECT 1")
		return err
	})
}

// Writes returns an error unless the server makes a small change last.
func (d *Database) Writes(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	db, err := d.open("")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS " + d.table() + " (id INT PRIMARY KEY, filler VARCHAR(10000))",
		"DELETE FROM " + d.table(),
		"INSERT INTO " + d.table() + " VALUES (1, REPEAT('x', 10000))", // more than what is left on pages begun
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("write to the database: %w", err)
		}
	}
	return nil
}

// table is one of the drill's own, outside of the services' database.
func (d *Database) table() string {
	if d.Engine == Postgres {
		return "drill_writes"
	}
	return "sys.drill_writes"
}

// create makes the services' database.
func (d *Database) create(ctx context.Context) (err error) {
	db, err := d.open("")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	statement := "CREATE DATABASE " + databaseName
	if d.Engine == MySQL {
		statement += " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
	}
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	return nil
}
