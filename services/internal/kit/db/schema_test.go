package db

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// waiting looks at a schema that is at the given versions, one after the other; the last one stays.
func waiting(files fstest.MapFS, pings []error, versions ...int64) SchemaWait {
	next := func() int64 {
		v := versions[0]
		if len(versions) > 1 {
			versions = versions[1:]
		}
		return v
	}
	return SchemaWait{
		Schemas: []Schema{{Table: "goose_test", Files: files}}, Poll: time.Second,
		Ping: func(context.Context) error {
			if len(pings) == 0 {
				return nil
			}
			err := pings[0]
			pings = pings[1:]
			return err
		},
		Version: func(context.Context, string) (int64, error) { return next(), nil },
	}
}

func TestAServiceWaitsForWhatOthersPutRight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := &mysql.MySQLError{Number: 1045}
		looks := 0
		wait := waiting(schema(2), []error{mysql.ErrInvalidConn, refused, refused}, 1, 2)
		if err := AwaitSchema(t.Context(), wait, quiet(), func() { looks++ }); err != nil || looks != 4 {
			t.Errorf("%v after %d looks", err, looks)
		}
	})
}

// Reasons may alternate, as those of servers behind one name do.
func TestEachReasonToWaitIsSaidOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		refused := &mysql.MySQLError{Number: 1045}
		wait := waiting(schema(2), []error{mysql.ErrInvalidConn, refused, mysql.ErrInvalidConn, refused, refused, mysql.ErrInvalidConn}, 2)
		if err := AwaitSchema(t.Context(), wait, slog.New(slog.NewTextHandler(&log, nil)), func() {}); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(log.String(), "not ready"); lines != 2 {
			t.Errorf("%d lines, want one of each reason:\n%s", lines, log.String())
		}
	})
}

// A release adds one migration at most, so one ahead is the schema of the next release, which leaves this one working.
func TestAProgramServesOnTheNextSchemaAndRefusesLaterOnes(t *testing.T) {
	t.Parallel()
	if err := AwaitSchema(t.Context(), waiting(schema(2), nil, 3), quiet(), func() {}); err != nil {
		t.Errorf("on the next schema: %v", err)
	}
	if err := AwaitSchema(t.Context(), waiting(schema(2), nil, 4), quiet(), func() {}); !errors.Is(err, ErrSchemaNewer) {
		t.Errorf("on the one after it: %v", err)
	}
}

// On PostgreSQL the migration waits for the snapshot's locks, or the snapshot reads the table as it was.
func TestAMigrationUnderASnapshotIsRetryable(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		if engine.Name == "postgres" {
			continue
		}
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			h := open(t, Config{URL: engine.Open(t)}, Options{})
			h.must(t, "CREATE TABLE first (id INT PRIMARY KEY)", "CREATE TABLE second (id INT PRIMARY KEY)")
			attempts := 0
			err := RetryTx(t.Context(), 3, func(ctx context.Context) error {
				attempts++
				tx, err := h.my.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
				if err != nil {
					return err
				}
				var n int
				err = tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM first").Scan(&n)
				if attempts == 1 {
					h.must(t, "ALTER TABLE second ADD COLUMN name VARCHAR(20) NULL")
				}
				if err == nil {
					err = tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM second").Scan(&n)
				}
				return errors.Join(err, tx.Rollback())
			})
			if err != nil || attempts > 2 || attempts == 1 && engine.Name == "mysql" { // MariaDB reads the table as it was
				t.Errorf("%v after %d attempts", err, attempts)
			}
		})
	}
}
