package db

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/certs"
)

// authorities is a file of certificate authorities and the server they vouch for. Pools read the file anew for each
// connection they make, so that authorities can be exchanged without a restart.
type authorities struct{ file, host string }

func (a authorities) config() (*tls.Config, error) {
	cfg, err := certs.Config(a.file, a.host)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_CA_FILE: %w", err)
	}
	return cfg, nil
}

// securePostgres demands TLS of each host of a URL, with a certificate of the host's own name.
func securePostgres(file string, to *pgx.ConnConfig) (err error) {
	if to.TLSConfig, err = postgresTLS(file, to.Host); err != nil {
		return err
	}
	for _, other := range to.Fallbacks {
		if other.TLSConfig, err = postgresTLS(file, other.Host); err != nil {
			return err
		}
	}
	return nil
}

func postgresTLS(file, host string) (*tls.Config, error) {
	cfg, err := authorities{file, host}.config()
	if err != nil {
		return nil, err
	}
	cfg.NextProtos = []string{"postgresql"}
	return cfg, nil
}

// eachHostOnce leaves out what is tried on a host besides: the same without TLS.
func eachHostOnce(to *pgx.ConnConfig) {
	seen := map[string]bool{hostAndPort(to.Host, to.Port): true}
	to.Fallbacks = slices.DeleteFunc(to.Fallbacks, func(other *pgconn.FallbackConfig) bool {
		name := hostAndPort(other.Host, other.Port)
		again := seen[name]
		seen[name] = true
		return again
	})
}

func hostAndPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// beforeMySQL implements what mysql.BeforeConnect asks for.
func (a authorities) beforeMySQL(_ context.Context, to *mysql.Config) (err error) {
	to.TLS, err = a.config()
	return unreadable(err)
}

// beforePostgres returns what pgxpool.Config.BeforeConnect asks for.
func beforePostgres(file string) func(context.Context, *pgx.ConnConfig) error {
	return func(_ context.Context, to *pgx.ConnConfig) error {
		return unreadable(securePostgres(file, to))
	}
}

// unreadable makes of a file that has gone bad since the start what a caller can act on: trying again later.
func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return apperr.Wrap(err, apperr.Unavailable, "the database is not available").WithRetryAfter(retryAfterUnavailable)
}
