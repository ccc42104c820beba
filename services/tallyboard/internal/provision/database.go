package provision

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallyboard/tallyboard/services/internal/kit/certs"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
)

// scripts are the SQL of one engine with its placeholders filled in.
type scripts struct{ users, grants string }

// readScripts reads an engine's SQL. Placeholders are <database>, on MySQL <tls>, which is what it requires of the users,
// and within quotes <migrate-password>, <task-password> and <stats-password>.
func readScripts(cfg ApplyConfig) (scripts, error) {
	engine, err := db.EngineOf(cfg.AdminURL)
	if err != nil {
		return scripts{}, fmt.Errorf("DATABASE_ADMIN_URL: %w", err)
	}
	quoted := func(text string) string {
		if engine == db.MySQL {
			text = strings.ReplaceAll(text, `\`, `\\`)
		}
		return strings.ReplaceAll(text, "'", "''")
	}
	demand := "NONE"
	if cfg.CAFile != "" {
		demand = "SSL"
	}
	fill := strings.NewReplacer(
		"<database>", cfg.Database, "<tls>", demand, "<migrate-password>", quoted(cfg.MigratePassword),
		"<task-password>", quoted(cfg.TaskPassword), "<stats-password>", quoted(cfg.StatsPassword))
	read := func(name string) (string, error) {
		content, err := os.ReadFile(filepath.Join(cfg.SQLDir, string(engine), name)) //nolint:gosec // deployments say where their SQL is
		if err != nil {
			return "", fmt.Errorf("read the SQL of the set-up: %w", err)
		}
		return fill.Replace(string(content)), nil
	}
	var s scripts
	if s.users, err = read("users.sql"); err != nil {
		return scripts{}, err
	}
	s.grants, err = read("grants.sql")
	return s, err
}

// makeDatabase runs users.sql, and sees to the database where a script cannot.
func makeDatabase(ctx context.Context, adminURL, database, users string) error {
	if err := runScript(ctx, adminURL, users); err != nil {
		return err
	}
	if engine, err := db.EngineOf(adminURL); err != nil || engine == db.MySQL {
		return err //nolint:wrapcheck // says what is wrong with the URL
	}
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	name := pgx.Identifier{database}.Sanitize()
	owner := pgx.Identifier{migrateUser}.Sanitize()
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name+" OWNER "+owner)
	if known, ok := errors.AsType[*pgconn.PgError](err); ok && known.Code == "42P04" { // it is there already
		_, err = conn.Exec(ctx, "ALTER DATABASE "+name+" OWNER TO "+owner)
	}
	return errors.Join(err, conn.Close(ctx))
}

// runScript runs the statements of a file on a connection of its own.
func runScript(ctx context.Context, rawURL, script string) error {
	engine, err := db.EngineOf(rawURL)
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	if engine == db.Postgres {
		conn, err := pgx.Connect(ctx, rawURL)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		_, err = conn.PgConn().Exec(ctx, script).ReadAll()
		return errors.Join(err, conn.Close(ctx))
	}
	dsn, err := mysqlDSN(rawURL)
	if err != nil {
		return err
	}
	connector, err := mysql.NewConnector(dsn)
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	pool := sql.OpenDB(connector)
	_, err = pool.ExecContext(ctx, script)
	return errors.Join(err, pool.Close())
}

// mysqlDSN translates a URL for the driver. Unlike the services' connections, one for set-up takes several statements at
// once and need not name a database.
func mysqlDSN(rawURL string) (*mysql.Config, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the database's URL is not valid")
	}
	query := u.Query()
	file := query.Get(caFileParameter)
	query.Del(caFileParameter)
	dsn, err := mysql.ParseDSN("/?" + query.Encode())
	if err != nil {
		return nil, fmt.Errorf("the database's URL: %w", err)
	}
	if file != "" {
		if dsn.TLS, err = certs.Config(file, u.Hostname()); err != nil {
			return nil, fmt.Errorf("DATABASE_CA_FILE: %w", err)
		}
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	dsn.Net, dsn.Addr, dsn.DBName = "tcp", net.JoinHostPort(u.Hostname(), port), strings.TrimPrefix(u.Path, "/")
	dsn.User = u.User.Username()
	dsn.Passwd, _ = u.User.Password()
	dsn.MultiStatements = true
	return dsn, nil
}

// caFileParameter is where db.Config.ResolvedURL puts the file of authorities into a mysql:// URL.
const caFileParameter = "ca-file"

// rereadCertificates makes the server take the certificate that is in its files now; connections that stand are kept. A
// server that is not this deployment's own may refuse it.
func rereadCertificates(ctx context.Context, adminURL string) error {
	engine, err := db.EngineOf(adminURL)
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	statement := "ALTER INSTANCE RELOAD TLS"
	if engine == db.Postgres {
		statement = "SELECT pg_reload_conf()"
	}
	return runScript(ctx, adminURL, statement)
}

// permanent tells errors that waiting does not mend: what the servers refuse, as opposed to servers that are not there.
func permanent(err error) bool {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return my.Number != 1053 && my.Number != 1040 // shutting down, too many connections
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return !strings.HasPrefix(pg.Code, "57P") && !strings.HasPrefix(pg.Code, "53") // starting or stopping; no resources
	}
	return jsbus.Refused(err)
}
