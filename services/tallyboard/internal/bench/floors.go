package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
)

// floors are what the raw driver does on the same server, in the same run: the yardstick of every ratio.
type floors struct {
	db      *sql.DB
	project uuid.UUID // of the project that is measured
	ids     []uuid.UUID
	number  atomic.Int64
}

// openRaw opens the driver without any of our code between, with as many connections as there are clients.
func openRaw(dsn string, conns int) (*sql.DB, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("benchmark DSN: %w", err)
	}
	cfg.InterpolateParams, cfg.ParseTime, cfg.Loc = true, true, time.UTC
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("benchmark connector: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// prepare makes tables for the insert floor: those of the product, without the indexes and without a word of ours, so
// that the floor stays a floor.
func (f *floors) prepare(ctx context.Context) error {
	for _, stmt := range []string{
		"DROP TABLE IF EXISTS floor_tasks, floor_events",
		`CREATE TABLE floor_tasks (id BINARY(16) PRIMARY KEY, project_id BINARY(16) NOT NULL, number BIGINT NOT NULL, title VARCHAR(500) NOT NULL,
			description MEDIUMTEXT NOT NULL, state_id BINARY(16) NOT NULL, created DATETIME(6) NOT NULL, UNIQUE KEY (project_id, number)) ENGINE=InnoDB`,
		`CREATE TABLE floor_events (id BIGINT AUTO_INCREMENT PRIMARY KEY, aggregate_id BINARY(16) NOT NULL, seq BIGINT NOT NULL, kind VARCHAR(30) NOT NULL,
			changes JSON NOT NULL, occurred DATETIME(6) NOT NULL, UNIQUE KEY (aggregate_id, seq)) ENGINE=InnoDB`,
	} {
		if _, err := f.db.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("floor tables: %w", err)
		}
	}
	return nil
}

// create is the floor of creating: two INSERTs in one transaction.
func (f *floors) create(ctx context.Context, _, _ int) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	n := f.number.Add(1)
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, "INSERT INTO floor_tasks (id, project_id, number, title, description, state_id, created) VALUES (?,?,?,?,?,?,?)",
		id[:], f.project[:], n, title(n), "", f.project[:], now); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO floor_events (aggregate_id, seq, kind, changes, occurred) VALUES (?,?,?,?,?)",
		id[:], 1, "task.created", `[{"field":"title","after":"`+title(n)+`"}]`, now); err != nil {
		return err
	}
	return tx.Commit()
}

const columns = `id, project_id, number, title, description, state_id, task_rank, priority, assignees, labels, start_date, due_date, estimate,
	parent_id, recurrence, version, seq, created, created_by, updated, updated_by, started, completed, trashed, source`

// get is the floor of reading one task: its row by primary key.
func (f *floors) get(ctx context.Context, _, _ int) error {
	id := f.ids[rand.IntN(len(f.ids))] //nolint:gosec // picks a row
	rows, err := f.db.QueryContext(ctx, "SELECT "+columns+" FROM tasks WHERE id = ?", id[:])
	return drain(rows, err, 1)
}

// list is the floor of listing: 50 rows in the order of an index.
func (f *floors) list(ctx context.Context, _, _ int) error {
	rows, err := f.db.QueryContext(ctx, "SELECT "+columns+" FROM tasks WHERE project_id = ? AND trashed IS NULL ORDER BY task_rank LIMIT 50", f.project[:])
	return drain(rows, err, 50)
}

// drain scans every column of every row, as any user of the rows must.
func drain(rows *sql.Rows, failed error, want int) (err error) {
	if failed != nil {
		return failed
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	cells := make([]sql.RawBytes, strings.Count(columns, ",")+1)
	dest := make([]any, len(cells))
	for i := range cells {
		dest[i] = &cells[i]
	}
	n := 0
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n != want {
		return fmt.Errorf("%d rows, want %d", n, want)
	}
	return nil
}

// loadIDs fetches the ids of the measured project.
func (f *floors) loadIDs(ctx context.Context) (err error) {
	rows, err := f.db.QueryContext(ctx, "SELECT id FROM tasks WHERE project_id = ? AND trashed IS NULL", f.project[:])
	if err != nil {
		return fmt.Errorf("ids of the measured project: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	f.ids = f.ids[:0]
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("ids of the measured project: %w", err)
		}
		f.ids = append(f.ids, id)
	}
	return rows.Err()
}

func title(n int64) string { return fmt.Sprintf("Measured task %d of the benchmark", n) }
