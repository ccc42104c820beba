package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// mysqlDriverRows is all that go-sql-driver's rows can do, and all that database/sql looks for in them.
type mysqlDriverRows interface {
	driver.RowsNextResultSet
	driver.RowsColumnTypeScanType
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
}

// observedRows are the rows of a query, which may fail while they arrive. database/sql never uses them from two
// goroutines at once, and always closes them.
type observedRows struct {
	mysqlDriverRows

	ctx      context.Context // the query's; the driver's rows get no other
	span     trace.Span      // nil: not recorded
	began    time.Time
	query    *statement
	observer *observer // nil: the query has been observed
}

// rows observes a query by what comes of its rows, or at once if it failed before them.
func (o *observer) rows(ctx context.Context, st *statement, began time.Time, rows driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		o.done(ctx, st, began, err)
		return rows, err
	}
	full, ok := rows.(mysqlDriverRows)
	if !ok {
		return nil, errors.Join(errors.New("mysql driver has another interface"), rows.Close())
	}
	_, span := o.start(ctx, st, began)
	return &observedRows{full, ctx, span, began, st, o}, nil
}

// Next implements driver.Rows.
func (r *observedRows) Next(dest []driver.Value) error {
	err := r.mysqlDriverRows.Next(dest)
	r.failed(err)
	return err
}

// NextResultSet implements driver.RowsNextResultSet.
func (r *observedRows) NextResultSet() error {
	err := r.mysqlDriverRows.NextResultSet()
	r.failed(err)
	return err
}

// Close implements driver.Rows. It reads what the caller left, so that it may be the first to meet an error.
func (r *observedRows) Close() error {
	err := r.mysqlDriverRows.Close()
	r.end(err)
	return err
}

// failed ends the observation at an error; the end of the rows is none.
func (r *observedRows) failed(err error) {
	if err != nil && !errors.Is(err, io.EOF) {
		r.end(err)
	}
}

func (r *observedRows) end(err error) {
	if r.observer != nil {
		r.observer.end(r.ctx, r.span, r.query, r.began, err)
		r.observer = nil
	}
}
