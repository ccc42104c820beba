package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// scripted are rows of a driver that answer as they are told.
type scripted struct {
	next, more []error
	close      error
}

func pop(errs *[]error) error {
	err := (*errs)[0]
	*errs = (*errs)[1:]
	return err
}

func (s *scripted) Columns() []string                                 { return []string{"id"} }
func (s *scripted) Next([]driver.Value) error                         { return pop(&s.next) }
func (s *scripted) HasNextResultSet() bool                            { return len(s.more) > 0 }
func (s *scripted) NextResultSet() error                              { return pop(&s.more) }
func (s *scripted) Close() error                                      { return s.close }
func (s *scripted) ColumnTypeScanType(int) reflect.Type               { return reflect.TypeFor[int64]() }
func (s *scripted) ColumnTypeDatabaseTypeName(int) string             { return "INT" }
func (s *scripted) ColumnTypeNullable(int) (nullable, ok bool)        { return false, true }
func (s *scripted) ColumnTypePrecisionScale(int) (int64, int64, bool) { return 0, 0, false }

func TestAQueryIsWhatComesOfItsRows(t *testing.T) {
	t.Parallel()
	killed := &mysql.MySQLError{Number: 3024}
	for name, c := range map[string]struct {
		rows *scripted
		want string // error.type
	}{
		"all rows":               {&scripted{next: []error{nil, nil, io.EOF}}, ""},
		"closed early":           {&scripted{next: []error{nil}}, ""},
		"two results":            {&scripted{next: []error{io.EOF, io.EOF}, more: []error{nil, io.EOF}}, ""},
		"fails at a row":         {&scripted{next: []error{nil, killed}, close: errors.New("later")}, "3024"},
		"fails at two rows":      {&scripted{next: []error{killed, io.ErrUnexpectedEOF}}, "3024"},
		"fails at the next set":  {&scripted{next: []error{io.EOF}, more: []error{killed}}, "3024"},
		"fails at what was left": {&scripted{next: []error{nil}, close: context.Canceled}, "canceled"},
	} {
		reader, spans := sdkmetric.NewManualReader(), tracetest.NewSpanRecorder()
		tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
		tel := telemetry.Nop()
		tel.TracerProvider, tel.Meter = tp, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
		ob, err := newObserver(Options{Telemetry: tel, Tracer: true}, target{system: attribute.String("db.system.name", "mysql")})
		if err != nil {
			t.Fatal(err)
		}
		ctx, parent := tp.Tracer("test").Start(t.Context(), "request")
		rows, err := ob.rows(ctx, ob.statement("SELECT id FROM tasks"), time.Now(), c.rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, next := range c.rows.next {
			if err := rows.Next(nil); !errors.Is(err, next) {
				t.Errorf("%s: row %d: %v", name, seen, err)
			}
			seen++
		}
		for _, more := range c.rows.more {
			if err := rows.(driver.RowsNextResultSet).NextResultSet(); !errors.Is(err, more) { //nolint:errcheck // panics are failures
				t.Errorf("%s: next result: %v", name, err)
			}
		}
		for range 2 { // closing twice is harmless
			if err := rows.Close(); !errors.Is(err, c.rows.close) {
				t.Errorf("%s: close: %v", name, err)
			}
		}
		parent.End()
		labels := "db.collection.name=tasks,db.operation.name=SELECT,db.system.name=mysql"
		if c.want != "" {
			labels += ",error.type=" + c.want
		}
		if got := (observed{reader: reader}).durations(t); got[labels] != 1 || len(got) != 1 {
			t.Errorf("%s: measured %v", name, got)
		}
		ended := spans.Ended()
		if len(ended) != 2 || attributesOf(ended[0])["error.type"] != c.want || (ended[0].Status().Code == codes.Error) != (c.want != "") {
			t.Errorf("%s: %d spans, the first %v", name, len(ended), ended[0])
		}
	}
}

// TestErrorsAmongTheRowsAreErrors has MySQL fail after it has sent the columns. The rows keep what the driver's can do.
func TestErrorsAmongTheRowsAreErrors(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		if engine, err := EngineOf(url); engine != MySQL || err != nil {
			return
		}
		o := observe(t, url, Options{})
		if err := o.exec(t.Context(), "INSERT INTO tasks VALUES (1, 'a'), (2, 'b')"); err != nil {
			t.Fatal(err)
		}
		rows, err := o.my.QueryContext(t.Context(), "SELECT id, (SELECT a.id FROM tasks a WHERE a.id >= tasks.id) FROM tasks ORDER BY id DESC")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close() //nolint:errcheck // read to the end
		types, err := rows.ColumnTypes()
		if err != nil || types[0].DatabaseTypeName() != "INT" || types[0].ScanType() != reflect.TypeFor[int32]() {
			t.Errorf("types %v, %v", types, err)
		}
		if _, ok := types[0].Length(); ok {
			t.Error("the driver's rows know no length")
		}
		for rows.Next() {
		}
		if myNumber(rows.Err()) != 1242 {
			t.Fatalf("got %v", rows.Err())
		}
		want := "db.collection.name=tasks,db.operation.name=SELECT,db.system.name=mysql,error.type=1242"
		if got := o.durations(t); got[want] != 1 {
			t.Errorf("measured %v", got)
		}
	})
}
