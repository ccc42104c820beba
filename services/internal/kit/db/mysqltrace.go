package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"
)

// mysqlDriverConn is all that go-sql-driver's connections can do, and all that database/sql looks for.
type mysqlDriverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// observedConnector makes connections that tell an observer what they do. It sits above the driver, which puts
// arguments into statements before it sends them: here they are still apart.
type observedConnector struct {
	driver.Connector

	observer *observer
}

func (c observedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(mysqlDriverConn)
	if !ok {
		return nil, errors.Join(errors.New("mysql driver has another interface"), conn.Close())
	}
	return &observedConn{full, c.observer}, nil
}

type observedConn struct {
	mysqlDriverConn

	observer *observer
}

// ExecContext runs a statement. Where the driver answers that it must be prepared first, nothing has happened yet.
func (c *observedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	began := time.Now()
	result, err := c.mysqlDriverConn.ExecContext(ctx, query, args)
	if !errors.Is(err, driver.ErrSkip) {
		c.observer.done(ctx, c.observer.statement(query), began, err)
	}
	return result, err
}

// QueryContext runs a query; what is measured is the time until its rows are closed, as with PostgreSQL.
func (c *observedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	began := time.Now()
	rows, err := c.mysqlDriverConn.QueryContext(ctx, query, args)
	if errors.Is(err, driver.ErrSkip) {
		return rows, err
	}
	return c.observer.rows(ctx, c.observer.statement(query), began, rows, err)
}

func (c *observedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	began := time.Now()
	tx, err := c.mysqlDriverConn.BeginTx(ctx, opts)
	c.observer.done(ctx, c.observer.plain("BEGIN"), began, err)
	if err != nil {
		return nil, err
	}
	return &observedTx{tx, ctx, c.observer}, nil
}

func (c *observedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.mysqlDriverConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := stmt.(mysqlDriverStmt)
	if !ok {
		return nil, errors.Join(errors.New("mysql driver has another interface"), stmt.Close())
	}
	return &observedStmt{full, query, c.observer}, nil
}

// Prepare exists in driver.Conn for drivers without PrepareContext.
func (c *observedConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// observedTx ends within the context it began in; database/sql hands over no other.
type observedTx struct {
	driver.Tx

	ctx      context.Context
	observer *observer
}

func (t *observedTx) Commit() error {
	began := time.Now()
	err := t.Tx.Commit()
	t.observer.done(t.ctx, t.observer.plain("COMMIT"), began, err)
	return err
}

func (t *observedTx) Rollback() error {
	began := time.Now()
	err := t.Tx.Rollback()
	t.observer.done(t.ctx, t.observer.plain("ROLLBACK"), began, err)
	return err
}

// mysqlDriverStmt is all that go-sql-driver's statements can do.
type mysqlDriverStmt interface {
	driver.Stmt
	driver.NamedValueChecker
	driver.StmtExecContext
	driver.StmtQueryContext
}

// observedStmt is a prepared statement.
type observedStmt struct {
	mysqlDriverStmt

	query    string
	observer *observer
}

func (s *observedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	began := time.Now()
	result, err := s.mysqlDriverStmt.ExecContext(ctx, args)
	s.observer.done(ctx, s.observer.statement(s.query), began, err)
	return result, err
}

func (s *observedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	began := time.Now()
	rows, err := s.mysqlDriverStmt.QueryContext(ctx, args)
	return s.observer.rows(ctx, s.observer.statement(s.query), began, rows, err)
}
