package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rollbackTimeout bounds the end of a transaction whose context may be over.
const rollbackTimeout = 5 * time.Second

// pipeline is a transaction in as few round trips as its reads need: statements without a result, and BEGIN, wait for the
// next read or for COMMIT and travel with it. It is the DBTX of generated statements. Errors of waiting statements are
// reported by what they travel with.
type pipeline struct {
	conn    *pgxpool.Conn
	begin   string
	waiting *pgx.Batch
	begun   bool
}

// transact runs fn in one transaction and commits, or rolls back if fn fails or panics.
func transact(ctx context.Context, pool *pgxpool.Pool, begin string, fn func(p *pipeline) error) (err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", err)
	}
	defer conn.Release() // closes a connection that is still inside a transaction
	p := &pipeline{conn: conn, begin: begin, waiting: &pgx.Batch{}}
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, p.rollback(ctx))
		}
	}()
	if err := fn(p); err != nil {
		return err
	}
	if err := p.commit(ctx); err != nil {
		return err
	}
	done = true
	return nil
}

func (p *pipeline) start() {
	if !p.begun {
		p.begun = true
		p.waiting.Queue(p.begin)
	}
}

// Exec keeps the statement for the next round trip. Its command tag is empty.
func (p *pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.start()
	p.waiting.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// Query sends what is waiting and the statement.
func (p *pipeline) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	results, err := p.send(ctx, func(b *pgx.Batch) { b.Queue(sql, args...) })
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, errors.Join(err, results.Close())
	}
	return &pipelined{Rows: rows, results: results}, nil
}

// QueryRow is Query for one row.
func (p *pipeline) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := p.Query(ctx, sql, args...)
	return &firstRow{rows: rows, err: err}
}

// send sends what is waiting with what more adds, and reads the results of the former.
func (p *pipeline) send(ctx context.Context, more func(b *pgx.Batch)) (pgx.BatchResults, error) {
	p.start()
	batch := p.waiting
	p.waiting = &pgx.Batch{}
	before := batch.Len()
	more(batch)
	results := p.conn.SendBatch(ctx, batch)
	for range before {
		if _, err := results.Exec(); err != nil {
			return nil, closing(results, err)
		}
	}
	return results, nil
}

// closing closes results behind an error, which Close mostly repeats.
func closing(results pgx.BatchResults, err error) error {
	if closed := results.Close(); closed != nil && !errors.Is(closed, err) && !errors.Is(err, closed) {
		return errors.Join(err, closed)
	}
	return err
}

func (p *pipeline) commit(ctx context.Context) error {
	if !p.begun {
		return nil
	}
	results, err := p.send(ctx, func(b *pgx.Batch) { b.Queue("commit") })
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	if err != nil {
		return closing(results, fmt.Errorf("commit: %w", err))
	}
	if err := results.Close(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// rollback ends the transaction on the server; on a dead connection there is nothing left to end.
func (p *pipeline) rollback(ctx context.Context) error {
	if p.conn.Conn().IsClosed() || p.conn.Conn().PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if _, err := p.conn.Exec(ctx, "rollback"); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// pipelined are the rows of the last statement of a batch; closing them closes the batch.
type pipelined struct {
	pgx.Rows
	results pgx.BatchResults
	closed  bool
	err     error
}

// Next closes the batch behind the last row, as pgx.Rows do.
func (r *pipelined) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close may be called any number of times.
func (r *pipelined) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.Rows.Close()
	r.err = r.results.Close()
}

// Err returns the first error of the rows or of the batch.
func (r *pipelined) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

// firstRow scans the first of some rows.
type firstRow struct {
	rows pgx.Rows
	err  error
}

// Scan fails with pgx.ErrNoRows without a row.
func (r *firstRow) Scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(into...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
