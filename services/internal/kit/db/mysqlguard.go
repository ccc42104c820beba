package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"
)

// guardedConnector makes connections that feel the pulse of their server and leave it when it has turned read-only, and
// keeps them from hammering one that refuses them. The driver's own RejectReadOnly would do the former, too, but answers ErrBadConn: nobody would learn
// why, and database/sql would try again at once, on as many new connections as there are requests.
type guardedConnector struct {
	driver.Connector

	guard *guard
}

// Connect implements driver.Connector.
func (c guardedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := c.guard.admit(); err != nil {
		return nil, err
	}
	generation := c.guard.generation.Load()
	c.guard.pulse.begin()
	conn, err := c.Connector.Connect(ctx)
	c.guard.pulse.end(err)
	c.guard.note(err)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(mysqlDriverConn)
	if !ok {
		return nil, errors.Join(errors.New("mysql driver has another interface"), conn.Close())
	}
	return &guardedConn{full, c.guard, generation, time.Now()}, nil
}

// guardedConn is given up when its server, or that of a neighbour, has turned read-only.
type guardedConn struct {
	mysqlDriverConn

	guard      *guard
	generation int64
	returned   time.Time // to the pool
}

// look takes the outcome of what pulse.begin announced.
func (c *guardedConn) look(err error) error {
	c.guard.pulse.end(err)
	if err != nil && IsReadOnly(err) {
		c.guard.giveUp()
	}
	return err
}

// IsValid implements driver.Validator: a connection that came back is kept.
func (c *guardedConn) IsValid() bool {
	c.returned = time.Now()
	return c.generation == c.guard.generation.Load() && c.mysqlDriverConn.IsValid()
}

// ResetSession implements driver.SessionResetter: an idle connection is used again, unless the server may be about to end
// it. The pool itself looks for those once a second only.
func (c *guardedConn) ResetSession(ctx context.Context) error {
	if c.generation != c.guard.generation.Load() || c.guard.idle > 0 && time.Since(c.returned) > c.guard.idle {
		return driver.ErrBadConn
	}
	return c.mysqlDriverConn.ResetSession(ctx)
}

// Ping implements driver.Pinger.
func (c *guardedConn) Ping(ctx context.Context) error {
	c.guard.pulse.begin()
	return c.look(c.mysqlDriverConn.Ping(ctx))
}

// ExecContext implements driver.ExecerContext.
func (c *guardedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.guard.pulse.begin()
	result, err := c.mysqlDriverConn.ExecContext(ctx, query, args)
	return result, c.look(err)
}

// QueryContext implements driver.QueryerContext; SELECT … FOR UPDATE is refused, too.
func (c *guardedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.guard.pulse.begin()
	rows, err := c.mysqlDriverConn.QueryContext(ctx, query, args)
	return rows, c.look(err)
}

// BeginTx implements driver.ConnBeginTx.
func (c *guardedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.guard.pulse.begin()
	tx, err := c.mysqlDriverConn.BeginTx(ctx, opts)
	if c.look(err) != nil {
		return nil, err
	}
	return guardedTx{tx, c}, nil
}

// PrepareContext implements driver.ConnPrepareContext, for statements too long to be sent in one.
func (c *guardedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.guard.pulse.begin()
	stmt, err := c.mysqlDriverConn.PrepareContext(ctx, query)
	if c.look(err) != nil {
		return nil, err
	}
	full, ok := stmt.(mysqlDriverStmt)
	if !ok {
		return nil, errors.Join(errors.New("mysql driver has another interface"), stmt.Close())
	}
	return guardedStmt{full, c}, nil
}

// Prepare exists in driver.Conn for drivers without PrepareContext.
func (c *guardedConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// guardedTx may be refused its commit: the server turned read-only while it was open.
type guardedTx struct {
	driver.Tx

	conn *guardedConn
}

// Commit implements driver.Tx.
func (t guardedTx) Commit() error {
	t.conn.guard.pulse.begin()
	return t.conn.look(t.Tx.Commit())
}

// Rollback implements driver.Tx.
func (t guardedTx) Rollback() error {
	t.conn.guard.pulse.begin()
	return t.conn.look(t.Tx.Rollback())
}

type guardedStmt struct {
	mysqlDriverStmt

	conn *guardedConn
}

// ExecContext implements driver.StmtExecContext.
func (s guardedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.conn.guard.pulse.begin()
	result, err := s.mysqlDriverStmt.ExecContext(ctx, args)
	return result, s.conn.look(err)
}

// QueryContext implements driver.StmtQueryContext.
func (s guardedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.conn.guard.pulse.begin()
	rows, err := s.mysqlDriverStmt.QueryContext(ctx, args)
	return rows, s.conn.look(err)
}
