package db

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; it is only used up by a test that fails.
const patience = 60 * time.Second

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// handle is what the tests need of either driver.
type handle struct {
	engine Engine
	my     *sql.DB
	pg     *pgxpool.Pool
}

// open returns a pool on url that is closed at the end of the test.
func open(t *testing.T, cfg Config, o Options) handle {
	t.Helper()
	engine, err := EngineOf(cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	h := handle{engine: engine}
	if engine == MySQL {
		h.my, err = OpenMySQL(t.Context(), cfg, o)
		if err == nil {
			t.Cleanup(func() {
				if err := h.my.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	} else {
		h.pg, err = OpenPostgres(context.Background(), cfg, o)
		if err == nil {
			t.Cleanup(h.pg.Close)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h handle) exec(ctx context.Context, statement string) error {
	if h.my != nil {
		_, err := h.my.ExecContext(ctx, statement)
		return err
	}
	_, err := h.pg.Exec(ctx, statement)
	return err
}

func (h handle) must(t *testing.T, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := h.exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// text returns the one value of a query as text.
func (h handle) text(t *testing.T, query string) string {
	t.Helper()
	var v any
	var err error
	if h.my != nil {
		err = h.my.QueryRowContext(t.Context(), query).Scan(&v)
	} else {
		err = h.pg.QueryRow(t.Context(), query).Scan(&v)
	}
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

// tx runs fn in a transaction and rolls back on error.
func (h handle) tx(ctx context.Context, fn func(exec func(string) error) error) error {
	if h.my != nil {
		tx, err := h.my.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
		if err := fn(func(s string) error { _, err := tx.ExecContext(ctx, s); return err }); err != nil {
			return err
		}
		return tx.Commit()
	}
	tx, err := h.pg.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after a commit there is nothing to roll back
	if err := fn(func(s string) error { _, err := tx.Exec(ctx, s); return err }); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// eachEngine runs a test on every engine, each with a database of its own.
func eachEngine(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	for _, engine := range testkit.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			fn(t, engine.Open(t))
		})
	}
}
