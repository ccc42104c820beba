// Package launch starts the whole product in one process: PostgreSQL, NATS, both services and the edge.
package launch

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/tallyboard/tallyboard/services/tallyboard/internal/pgembed"
)

// Config of the launcher. The services read their own variables as well, such as DB_POOL_SIZE and OTEL_*; see the README.
type Config struct {
	Host             string        `env:"HOST" envDefault:"127.0.0.1"`              // where the browser's port listens; anything but loopback opens the product to a network without accounts
	Port             int           `env:"PORT" envDefault:"8080"`                   // the browser's port; 0 picks a free one
	DataDir          string        `env:"DATA_DIR" envDefault:".data"`              // everything that must survive
	DatabaseURL      string        `env:"DATABASE_URL" secret:"true"`               // a server of yours instead of the embedded PostgreSQL: mysql:// or postgres://
	DatabasePassword string        `env:"DATABASE_PASSWORD" secret:"true"`          // replaces the one in DATABASE_URL
	DatabaseCAFile   string        `env:"DATABASE_CA_FILE"`                         // authorities to trust, for a server of yours: TLS with verification
	NATSURL          string        `env:"NATS_URL" secret:"true"`                   // a server of yours instead of the embedded NATS
	PostgresDir      string        `env:"POSTGRES_DIR"`                             // folder with PostgreSQL's bin, lib and share; found below the sources by default
	SyncInterval     time.Duration `env:"NATS_SYNC_INTERVAL" envDefault:"1s"`       // of the embedded NATS; the database is the guarantee
	MaxStore         int64         `env:"NATS_MAX_STORE" envDefault:"1073741824"`   // bytes JetStream may keep on disk
	ReadyTimeout     time.Duration `env:"READY_TIMEOUT" envDefault:"60s"`           // until the parts must be ready
	StopTimeout      time.Duration `env:"STOP_TIMEOUT" envDefault:"20s"`            // for open requests at Ctrl+C
	TraceBuffer      int           `env:"TRACE_BUFFER" envDefault:"2000"`           // traces kept in memory, to look at in the UI; 0 keeps none
	TraceBufferBytes int           `env:"TRACE_BUFFER_BYTES" envDefault:"33554432"` // memory of those traces at most
}

// loopback reports whether only this machine can reach the host.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// lockData takes the data folder for this process; the lock goes with the process, however it ends.
func (c Config) lockData() (*flock.Flock, error) {
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil { //nolint:gosec // PostgreSQL's user may have to pass; what is secret below is 0700
		return nil, fmt.Errorf("create the data folder %s (DATA_DIR): %w", c.DataDir, err)
	}
	lock := flock.New(filepath.Join(c.DataDir, "lock"))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data folder %s (DATA_DIR): %w", c.DataDir, err)
	}
	if !got {
		return nil, fmt.Errorf("another Tallyboard is running on the data folder %s: stop it, or choose another folder with DATA_DIR", c.DataDir)
	}
	return lock, nil
}

// binaries returns the folder of the embedded PostgreSQL's programs: as configured, else below the working folder or the
// program's, where `make run` has npm put it.
func (c Config) binaries() (string, error) {
	if c.PostgresDir != "" {
		return c.PostgresDir, nil
	}
	pkg, err := pgembed.Package()
	if err != nil {
		return "", err
	}
	rel := filepath.Join("services", "tallyboard", "postgres", "node_modules", filepath.FromSlash(pkg), "native")
	roots := []string{"."}
	if exe, err := os.Executable(); err == nil {
		roots = append(roots, filepath.Dir(filepath.Dir(exe)))
	}
	for _, root := range roots {
		dir := filepath.Join(root, rel)
		if _, err := os.Stat(dir); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("the embedded PostgreSQL is not installed: run `make run`, which gets it from npm, or set DATABASE_URL to a server of yours")
}
