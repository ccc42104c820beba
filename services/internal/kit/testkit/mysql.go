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
var mysqlDialect = dialect{
	on:     onMySQL,
	create: "CREATE DATABASE `%s` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
	drop:   "DROP DATABASE IF EXISTS `%s`",
	list:   "SHOW DATABASES",
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
		connectPatience = time.Minute
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
