// Package pgembed runs a real PostgreSQL as a supervised child process: it lays out binaries that npm delivered, creates
// the cluster on first start, starts the server on a loopback port, restarts it if it dies, and stops it cleanly.
//
// PostgreSQL refuses to run as root. There, the server runs as an unprivileged user (Config.RootUID), and binaries and
// data go to a folder that user can reach: below the data folder if every folder above it is open to others, else below
// Config.RootHome. The data folder then holds a file postgres.location that names the place.
package pgembed

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Config of an embedded PostgreSQL.
type Config struct {
	Binaries     string        // folder with bin, lib and share as npm unpacked it
	DataDir      string        // the product's data folder; PostgreSQL's files go below it
	Database     string        // created on first start
	RootHome     string        // where binaries and data go if root runs us and DataDir is closed to others
	RootUID      int           // who runs the server if root runs us
	StartTimeout time.Duration // from starting the process to its first answer, crash recovery included
	StopTimeout  time.Duration // for a fast shutdown before the process is killed
}

// WithDefaults fills what is not set.
func (c Config) WithDefaults() Config {
	if c.Database == "" {
		c.Database = "tallyboard"
	}
	if c.RootHome == "" {
		c.RootHome = "/var/lib/tallyboard"
	}
	if c.RootUID == 0 {
		c.RootUID = 65534
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = 60 * time.Second
	}
	if c.StopTimeout == 0 {
		c.StopTimeout = 20 * time.Second
	}
	return c
}

// superuser of the cluster; the services connect as users of their own, see the provisioning of the launcher.
const superuser = "postgres"

// Server is a running PostgreSQL.
type Server struct {
	cfg  Config
	log  *slog.Logger
	home string // holds runtime, cluster and password
	bin  string
	uid  int // -1: the user who runs us
	port int
	pass string

	stop context.CancelFunc
	done chan struct{} // closed when the supervisor has ended
}

// Start lays out, creates and starts the server and returns when it answers. It keeps it running until Stop.
func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Server, error) {
	s := &Server{cfg: cfg.WithDefaults(), log: log, uid: -1, done: make(chan struct{})}
	if err := s.chooseHome(); err != nil {
		return nil, err
	}
	if err := s.layOut(); err != nil {
		return nil, fmt.Errorf("lay out the PostgreSQL binaries: %w", err)
	}
	if err := s.password(); err != nil {
		return nil, err
	}
	if err := s.initCluster(ctx); err != nil {
		return nil, err
	}
	if err := s.stopOrphan(ctx); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	first := make(chan error, 1)
	go s.supervise(run, first)
	select {
	case err := <-first:
		if err != nil {
			s.Stop()
			return nil, err
		}
	case <-ctx.Done():
		s.Stop()
		return nil, ctx.Err()
	}
	if err := s.createDatabase(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// URL returns the connection URL of the superuser for the configured database.
func (s *Server) URL() string { return s.urlFor(s.cfg.Database) }

func (s *Server) urlFor(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(superuser, s.pass), Host: fmt.Sprintf("127.0.0.1:%d", s.port),
		Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Home returns the folder that holds the cluster, for messages.
func (s *Server) Home() string { return s.home }

// Stop shuts the server down ("fast": open transactions are rolled back, everything committed is on disk) and waits.
func (s *Server) Stop() {
	s.stop()
	<-s.done
}

func (s *Server) cluster() string { return filepath.Join(s.home, "cluster") }

func (s *Server) chooseHome() error {
	abs, err := filepath.Abs(s.cfg.DataDir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	s.home = filepath.Join(abs, "postgres")
	if os.Geteuid() == 0 {
		s.uid = s.cfg.RootUID
		if closed := closedParent(abs); closed != "" {
			sum := sha256.Sum256([]byte(abs))
			s.home = filepath.Join(s.cfg.RootHome, hex.EncodeToString(sum[:6]))
			s.log.Info("PostgreSQL keeps its files elsewhere, because its unprivileged user cannot reach the data folder",
				"closed", closed, "folder", s.home)
			if err := os.WriteFile(filepath.Join(abs, "postgres.location"), []byte(s.home+"\n"), 0o600); err != nil {
				return fmt.Errorf("note where PostgreSQL keeps its files: %w", err)
			}
		}
	}
	if err := os.MkdirAll(s.home, 0o755); err != nil { //nolint:gosec // the unprivileged user must pass; the cluster below is 0700
		return fmt.Errorf("create the PostgreSQL folder: %w", err)
	}
	return nil
}

// closedParent returns the first folder on the way to dir that others may not pass, or "".
func closedParent(dir string) string {
	for d := dir; ; d = filepath.Dir(d) {
		if info, err := os.Stat(d); err == nil && info.Mode().Perm()&0o001 == 0 {
			return d
		}
		if d == filepath.Dir(d) {
			return ""
		}
	}
}

func (s *Server) password() error {
	file := filepath.Join(s.home, "password")
	b, err := os.ReadFile(file) //nolint:gosec // the path is ours
	if err == nil {
		s.pass = strings.TrimSpace(string(b))
		return s.own(file)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the database password: %w", err)
	}
	s.pass = rand.Text()
	if err := os.WriteFile(file, []byte(s.pass+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the database password: %w", err)
	}
	return s.own(file)
}

// own gives a file to the user who runs the server.
func (s *Server) own(path string) error {
	if s.uid < 0 {
		return nil
	}
	if err := os.Lchown(path, s.uid, s.uid); err != nil {
		return fmt.Errorf("give %s to the PostgreSQL user: %w", path, err)
	}
	return nil
}

func (s *Server) createDatabase(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StartTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.urlFor("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the embedded PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was left to flush
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", s.cfg.Database).Scan(&there); err != nil {
		return fmt.Errorf("look for the database: %w", err)
	}
	if there {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{s.cfg.Database}.Sanitize()); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	return nil
}
