package db

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

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

func (a authorities) postgresConfig() (*tls.Config, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	cfg.NextProtos = []string{"postgresql"}
	return cfg, nil
}

// beforeMySQL implements what mysql.BeforeConnect asks for.
func (a authorities) beforeMySQL(_ context.Context, to *mysql.Config) (err error) {
	to.TLS, err = a.config()
	return unreadable(err)
}

// beforePostgres implements what pgxpool.Config.BeforeConnect asks for.
func (a authorities) beforePostgres(_ context.Context, to *pgx.ConnConfig) (err error) {
	to.TLSConfig, err = a.postgresConfig()
	return unreadable(err)
}

// unreadable makes of a file that has gone bad since the start what a caller can act on: trying again later.
func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return apperr.Wrap(err, apperr.Unavailable, "the database is not available").WithRetryAfter(retryAfterUnavailable)
}
