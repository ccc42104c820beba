package recovery

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // to look at what the services do not show
	_ "github.com/jackc/pgx/v5/stdlib" // likewise

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// startsWithin is how long a server may take until it accepts connections.
const startsWithin = 60 * time.Second

// server is a database server of a test, with the settings that backups need. It runs unprivileged, as servers insist.
type server struct {
	t        *testing.T
	engine   string
	url      string   // what the services connect to
	dsn      string   // what the test connects to, without the database
	database string   // and its options
	environ  []string // what programs in the server's container would have
	command  []string
	archive  string // of PostgreSQL's log
	renew    func() // of PostgreSQL: makes another server's data in place of its own
	db       *sql.DB

	process *exec.Cmd
	log     bytes.Buffer
}

// unprivileged returns the command as whom servers run.
func unprivileged(command ...string) []string {
	if os.Getuid() != 0 {
		return command
	}
	return append([]string{"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"}, command...)
}

// folder makes one that the unprivileged user owns, and can reach.
func folder(t *testing.T, name string) string {
	t.Helper()
	top, err := os.MkdirTemp("", "tallyboard-recovery-") //nolint:usetesting // t.TempDir is closed to the database's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(top); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(top, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(top, name)
	give(t, dir)
	return dir
}

// give makes a folder that belongs to the unprivileged user.
func give(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		return
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	var uid, gid int
	if _, err := fmt.Sscan(nobody.Uid+" "+nobody.Gid, &uid, &gid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was only to find the port
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func newMySQL(t *testing.T) *server {
	t.Helper()
	tools, dir, port := testkit.Tools(t, "mysql"), folder(t, "mysql"), freePort(t)
	data, socket, password := filepath.Join(dir, "data"), filepath.Join(dir, "sock"), filepath.Join(dir, "password")
	give(t, data)
	if err := os.WriteFile(password, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	mysqld := []string{filepath.Join(tools, "mysqld"), "--datadir=" + data, "--tmpdir=" + dir, "--mysqlx=OFF", "--secure-file-priv="}
	run(t, unprivileged(append(mysqld, "--initialize-insecure")...)...)
	s := &server{
		t: t, engine: "mysql", url: "mysql://root@127.0.0.1:" + port + "/tallyboard", dsn: "root@tcp(127.0.0.1:" + port + ")/", database: "tallyboard",
		environ: []string{"PATH=" + tools + ":" + os.Getenv("PATH"), "MYSQL_UNIX_PORT=" + socket, "MYSQL_ROOT_PASSWORD_FILE=" + password},
		command: unprivileged(append(mysqld, "--bind-address=127.0.0.1", "--port="+port, "--socket="+socket, "--pid-file="+filepath.Join(dir, "pid"),
			"--performance-schema=OFF", "--gtid-mode=OFF", "--log-bin=binlog", "--server-id=1", "--innodb-buffer-pool-size=128M",
			"--max-allowed-packet=64M", "--transaction-isolation=READ-COMMITTED", "--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0")...),
	}
	s.up()
	s.create("", "CREATE DATABASE tallyboard CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
	return s
}

func newPostgres(t *testing.T) *server {
	t.Helper()
	tools, dir, port := testkit.Tools(t, "postgres"), folder(t, "postgres"), freePort(t)
	data, archive, socket := filepath.Join(dir, "data"), filepath.Join(dir, "archive"), filepath.Join(dir, "run")
	for _, d := range []string{archive, socket} {
		give(t, d)
	}
	config, password := postgresConfig(t, dir), filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("of this stack's \\ own\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	renew := func() {
		if err := os.RemoveAll(data); err != nil {
			t.Fatal(err)
		}
		give(t, data)
		run(t, unprivileged(filepath.Join(tools, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C", "--data-checksums")...)
	}
	renew()
	s := &server{
		renew: renew,
		t:     t, engine: "postgres", url: "postgres://postgres@127.0.0.1:" + port + "/tallyboard?sslmode=disable",
		dsn: "postgres://postgres@127.0.0.1:" + port + "/", database: "tallyboard?sslmode=disable", archive: archive,
		environ: []string{"PATH=" + tools + ":" + os.Getenv("PATH"), "PGHOST=" + socket, "PGPORT=" + port, "PGDATA=" + data,
			"ARCHIVE_DIR=" + archive, "POSTGRES_CONFIG=" + config, "POSTGRES_PASSWORD_FILE=" + password, "TMPDIR=" + socket},
		command: unprivileged(filepath.Join(tools, "postgres"), "-D", data, "-c", "config_file="+config, "-p", port,
			"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+socket),
	}
	s.up()
	s.create("postgres?sslmode=disable", "CREATE DATABASE tallyboard")
	return s
}

// postgresConfig copies the stack's own configuration, with its folder here and without its certificates.
func postgresConfig(t *testing.T, dir string) string {
	t.Helper()
	from := filepath.Join(repository(t), "deploy", "postgres")
	script, err := os.ReadFile(filepath.Join(from, "archive.sh"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(from, "postgresql.conf"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "ssl") && !strings.HasPrefix(line, "hba_file") {
			lines = append(lines, strings.ReplaceAll(line, "/etc/tallyboard", dir))
		}
	}
	config := filepath.Join(dir, "postgresql.conf")
	for name, content := range map[string]string{filepath.Join(dir, "archive.sh"): string(script), config: strings.Join(lines, "")} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// repository returns the top of the sources.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(t *testing.T, command ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}

// up starts the server and waits until it accepts connections.
func (s *server) up() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := s.stop(); err != nil {
			s.t.Error(err)
		}
	})
}

// create makes the product's database by way of another, and connects to it.
func (s *server) create(by, statement string) {
	s.t.Helper()
	s.db = s.open(by)
	if err := s.ready(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.exec(statement)
	s.db = s.open(s.database)
}

func (s *server) open(database string) *sql.DB {
	s.t.Helper()
	driver := map[string]string{"mysql": "mysql", "postgres": "pgx"}[s.engine]
	db, err := sql.Open(driver, s.dsn+database)
	if err != nil {
		s.t.Fatal(err)
	}
	db.SetMaxIdleConns(0)              // none is held over a restore
	s.t.Cleanup(func() { db.Close() }) //nolint:errcheck // nothing was left open
	return db
}

func (s *server) start() error {
	s.process = exec.Command(s.command[0], s.command[1:]...) // stop ends it
	s.process.Env = append(os.Environ(), s.environ...)
	s.process.Stdout, s.process.Stderr = &s.log, &s.log
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.engine, err)
	}
	return nil
}

func (s *server) ready(ctx context.Context) error {
	var err error
	for deadline := time.Now().Add(startsWithin); time.Now().Before(deadline); {
		if err = s.db.PingContext(ctx); err == nil {
			return nil
		}
		pause(ctx)
	}
	return fmt.Errorf("%s is not ready: %w\n%s", s.engine, err, s.log.String())
}

// stop ends the server in order.
func (s *server) stop() error {
	if s.process == nil {
		return nil
	}
	signal := syscall.SIGINT // PostgreSQL: end sessions, write a checkpoint
	if s.engine == "mysql" {
		signal = syscall.SIGTERM
	}
	if err := s.process.Process.Signal(signal); err != nil {
		return fmt.Errorf("stop %s: %w", s.engine, err)
	}
	err := s.process.Wait()
	s.process = nil
	if err != nil {
		return fmt.Errorf("%s did not stop in order: %w", s.engine, err)
	}
	return nil
}

func (s *server) exec(statement string) {
	s.t.Helper()
	if _, err := s.db.ExecContext(s.t.Context(), statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// number returns the one number that a query answers with.
func (s *server) number(query string) (n int) {
	s.t.Helper()
	if err := s.db.QueryRowContext(s.t.Context(), query).Scan(&n); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// pause is between two tries.
func pause(ctx context.Context) {
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
