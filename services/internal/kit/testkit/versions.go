package testkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// PrintEngines writes one line per engine with the version its server reports. It asks only servers named by
// TEST_*_URL, and returns an error for each that is not named, does not answer or is not the engine it should be.
func PrintEngines(ctx context.Context, w io.Writer) error {
	var errs []error
	for _, s := range []*engineServer{mysqlServer, mariadbServer, postgresServer} {
		version, err := s.version(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s (%s): %w", s.engine, s.variable, err))
			continue
		}
		if _, err := fmt.Fprintf(w, "%-9s %s\n", s.engine, version); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// version asks the server named by the variable what it is.
func (s *engineServer) version(ctx context.Context) (version string, err error) {
	serverURL := os.Getenv(s.variable)
	if serverURL == "" {
		return "", errors.New("not set; servers.sh env prints it")
	}
	err = s.dialect.on(ctx, serverURL, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, "SELECT version()").Scan(&version)
	})
	if err != nil {
		return "", err
	}
	engine := "mysql"
	switch {
	case strings.Contains(version, "MariaDB"):
		engine = "mariadb"
	case strings.HasPrefix(version, "PostgreSQL"):
		engine = "postgres"
	}
	if engine != s.engine {
		return "", fmt.Errorf("that server is %s: %s", engine, version)
	}
	return version, nil
}
