package testkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-sql-driver/mysql"
)

// dropLockWait is how long dropping a database waits for connections the test left open, in seconds.
const dropLockWait = "10"

// mysqlDialect serves MySQL and MariaDB.
type mysqlDialect struct{}

func (mysqlDialect) create(ctx context.Context, serverURL, name string) error {
	return onMySQL(ctx, serverURL, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, "CREATE DATABASE `"+name+"` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
		return err
	})
}

func (mysqlDialect) drop(ctx context.Context, serverURL, name string) error {
	return onMySQL(ctx, serverURL, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, "DROP DATABASE IF EXISTS `"+name+"`")
		return err
	})
}

func (d mysqlDialect) sweep(ctx context.Context, serverURL string) error {
	var old []string
	err := onMySQL(ctx, serverURL, func(db *sql.DB) (err error) {
		old, err = abandonedDatabases(ctx, db, "SHOW DATABASES")
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := d.drop(ctx, serverURL, name); err != nil {
			return err
		}
	}
	return nil
}

// onMySQL runs do on a short-lived connection to a mysql:// URL.
func onMySQL(ctx context.Context, serverURL string, do func(*sql.DB) error) error {
	u, err := url.Parse(serverURL)
	if err != nil {
		return fmt.Errorf("parse server URL: %w", err)
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User = "tcp", u.Host, u.User.Username()
	if u.Port() == "" {
		cfg.Addr += ":3306"
	}
	cfg.Passwd, _ = u.User.Password() // no password is an empty one
	cfg.Params = map[string]string{"lock_wait_timeout": dropLockWait}
	cfg.Logger = &mysql.NopLogger{} // failed attempts are reported by await
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return fmt.Errorf("configure MySQL driver: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	err = await(ctx, db.PingContext)
	if err == nil {
		err = do(db)
	}
	return errors.Join(err, db.Close())
}

// await tries until a server that is still starting lets people in, at most connectPatience.
func await(ctx context.Context, ping func(context.Context) error) error {
	const (
		connectPatience = 20 * time.Second
		betweenTries    = 200 * time.Millisecond
	)
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	for {
		err := ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("connect: %w", err)
		case <-time.After(betweenTries):
		}
	}
}

// abandonedDatabases lists what killed test processes left, from a query that returns database names.
func abandonedDatabases(ctx context.Context, db *sql.DB, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list databases: %w", err)
	}
	defer rows.Close()
	var old []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list databases: %w", err)
		}
		if abandoned(name, time.Now()) {
			old = append(old, name)
		}
	}
	return old, rows.Err()
}
