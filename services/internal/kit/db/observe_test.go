package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// secretValue is an argument that no signal may hold.
const secretValue = "anna@example.org"

// observed is a pool whose spans and metrics can be read, on a database with a table of tasks.
type observed struct {
	handle

	spans  *tracetest.SpanRecorder
	reader *sdkmetric.ManualReader
	tracer trace.Tracer
}

func observe(t *testing.T, url string, o Options) observed {
	t.Helper()
	open(t, Config{URL: url}, Options{}).must(t, "CREATE TABLE tasks (id INT PRIMARY KEY, title VARCHAR(100) UNIQUE)")
	spans, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	tel := telemetry.Nop()
	tel.TracerProvider, tel.Meter = tp, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	o.Telemetry = tel
	return observed{open(t, Config{URL: url}, o), spans, reader, tp.Tracer("test")}
}

// with runs a statement with arguments; placeholders are those of MySQL.
func (o observed) with(ctx context.Context, statement string, args ...any) error {
	if o.my != nil {
		_, err := o.my.ExecContext(ctx, statement, args...)
		return err
	}
	_, err := o.pg.Exec(ctx, numbered(statement), args...)
	return err
}

// numbered turns ? into $1, $2 and so on.
func numbered(statement string) string {
	for i := 1; strings.Contains(statement, "?"); i++ {
		statement = strings.Replace(statement, "?", fmt.Sprintf("$%d", i), 1)
	}
	return statement
}

func attributesOf(s sdktrace.ReadOnlySpan) map[attribute.Key]string {
	got := map[attribute.Key]string{}
	for _, kv := range s.Attributes() {
		got[kv.Key] = kv.Value.String()
	}
	return got
}

func TestStatementsAreSpans(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		o := observe(t, url, Options{Tracer: true})
		ctx, parent := o.tracer.Start(t.Context(), "request")
		err := o.tx(ctx, func(exec func(string) error) error {
			return errors.Join(exec("INSERT INTO tasks VALUES (1, 'a')"), exec("-- name: Get :one\nSELECT id FROM tasks WHERE id = 1"))
		})
		parent.End()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range o.spans.Ended() {
			if s.Parent().SpanID() == parent.SpanContext().SpanID() {
				names = append(names, s.Name())
			}
			if s.Parent().SpanID().IsValid() && s.SpanKind() != trace.SpanKindClient {
				t.Errorf("%s is %v", s.Name(), s.SpanKind())
			}
		}
		if want := "BEGIN INSERT tasks SELECT tasks COMMIT"; strings.Join(names[:min(len(names), 4)], " ") != want {
			t.Fatalf("spans %q, want %s", names, want)
		}
		got := attributesOf(o.spans.Ended()[2])
		system := map[Engine]string{MySQL: "mysql", Postgres: "postgresql"}[o.engine]
		for key, want := range map[attribute.Key]string{
			"db.system.name": system, "db.operation.name": "SELECT", "db.collection.name": "tasks", "db.query.summary": "SELECT tasks",
			"db.query.text": "-- name: Get :one\nSELECT id FROM tasks WHERE id = 1",
		} {
			if got[key] != want {
				t.Errorf("%s is %q, want %q", key, got[key], want)
			}
		}
		for _, key := range []attribute.Key{"server.address", "db.namespace"} {
			if got[key] == "" {
				t.Errorf("%s is missing in %v", key, got)
			}
		}
	})
}

func TestNoValueReachesASpanOrAMetric(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		o := observe(t, url, Options{Tracer: true})
		ctx, parent := o.tracer.Start(t.Context(), "request")
		if err := o.with(ctx, "INSERT INTO tasks (id, title) VALUES (?, ?)", 1, secretValue); err != nil {
			t.Fatal(err)
		}
		if err := o.with(ctx, "INSERT INTO tasks (id, title) VALUES (?, ?)", 2, secretValue); !IsDuplicate(err) {
			t.Fatalf("got %v", err)
		}
		if o.my != nil { // its message quotes the value
			if err := o.with(ctx, "UPDATE tasks SET id = ? WHERE title = ?", secretValue, secretValue); err == nil {
				t.Error("an address is no number")
			}
			stmt, err := o.my.PrepareContext(ctx, "SELECT id FROM tasks WHERE title = ?")
			if err != nil {
				t.Fatal(err)
			}
			defer stmt.Close() //nolint:errcheck // nothing is left to lose
			var id int
			if err := stmt.QueryRowContext(ctx, secretValue).Scan(&id); err != nil || id != 1 {
				t.Errorf("task %d, %v", id, err)
			}
		} else {
			batch := &pgx.Batch{}
			batch.Queue("SELECT id FROM tasks WHERE title = $1", secretValue)
			batch.Queue("SELECT $1::text::int", secretValue) // its message quotes the value
			if err := o.pg.SendBatch(ctx, batch).Close(); err == nil {
				t.Error("an address is no number")
			}
		}
		parent.End()
		if n := len(o.spans.Ended()); n < 4 {
			t.Errorf("%d spans", n)
		}
		failed := 0
		for _, s := range o.spans.Ended() {
			all := fmt.Sprint(s.Name(), s.Attributes(), s.Events(), s.Status().Description, s.Links())
			if strings.Contains(all, secretValue) {
				t.Errorf("span %s tells the value: %s", s.Name(), all)
			}
			if kind := attributesOf(s)["error.type"]; kind != "" {
				failed++
				if kind != attributesOf(s)["db.response.status_code"] {
					t.Errorf("error.type %q, status %q", kind, attributesOf(s)["db.response.status_code"])
				}
			}
		}
		if failed < 2 {
			t.Errorf("%d failed spans", failed)
		}
		for labels := range o.durations(t) {
			if strings.Contains(labels, secretValue) || strings.Contains(labels, "?") || strings.Contains(labels, "$1") {
				t.Errorf("metric %s", labels)
			}
		}
	})
}

// durations returns how often each combination of labels was measured.
func (o observed) durations(t *testing.T) map[string]uint64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := o.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != "db.client.operation.duration" {
				continue
			}
			if m.Unit != "s" {
				t.Errorf("unit %s", m.Unit)
			}
			for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints { //nolint:errcheck // another type fails the test
				got[p.Attributes.Encoded(attribute.DefaultEncoder())] = p.Count
			}
		}
	}
	return got
}

func TestDurationsAreMeasuredAlikeWithOrWithoutATrace(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		o := observe(t, url, Options{})
		err := o.tx(t.Context(), func(exec func(string) error) error {
			return errors.Join(exec("INSERT INTO tasks VALUES (1, 'a')"), exec("INSERT INTO tasks VALUES (2, 'b')"))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.exec(t.Context(), "INSERT INTO tasks VALUES (1, 'a')"); err == nil {
			t.Error("a duplicate was accepted")
		}
		system := map[Engine]string{MySQL: "db.system.name=mysql", Postgres: "db.system.name=postgresql"}[o.engine]
		code := map[Engine]string{MySQL: "1062", Postgres: "23505"}[o.engine]
		got := o.durations(t)
		for labels, want := range map[string]uint64{
			"db.operation.name=BEGIN," + system: 1, "db.operation.name=COMMIT," + system: 1,
			"db.collection.name=tasks,db.operation.name=INSERT," + system:                         2,
			"db.collection.name=tasks,db.operation.name=INSERT," + system + ",error.type=" + code: 1,
		} {
			if got[labels] != want {
				t.Errorf("%s: %d, want %d (of %v)", labels, got[labels], want, got)
			}
		}
		if n := len(o.spans.Ended()); n != 0 {
			t.Errorf("%d spans of a pool without them", n)
		}
	})
}

func TestThereAreNoSpansBesideATrace(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		o := observe(t, url, Options{Tracer: true})
		unsampled := telemetry.ContextWithTraceparent(t.Context(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
		for _, ctx := range []context.Context{t.Context(), unsampled} {
			if err := o.tx(ctx, func(exec func(string) error) error { return exec("SELECT 1") }); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(o.spans.Ended()); n != 0 {
			t.Errorf("%d spans", n)
		}
	})
}

func TestBatchesAreSpansWithTheirStatementsBelow(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		if engine, err := EngineOf(url); engine != Postgres || err != nil {
			return // MySQL's protocol has none
		}
		o := observe(t, url, Options{Tracer: true})
		for want, statements := range map[string][]string{
			"SELECT tasks": {"SELECT id FROM tasks"},
			"BATCH INSERT": {"begin", "INSERT INTO tasks VALUES (1, 'a')", "INSERT INTO tasks VALUES (2, 'b')", "commit"},
			"BATCH":        {"SELECT id FROM tasks", "DELETE FROM tasks"},
		} {
			ctx, parent := o.tracer.Start(t.Context(), "request")
			batch := &pgx.Batch{}
			for _, s := range statements {
				batch.Queue(s)
			}
			if err := o.pg.SendBatch(ctx, batch).Close(); err != nil {
				t.Fatal(err)
			}
			parent.End()
			top, below := "", 0
			for _, s := range o.spans.Ended() {
				switch {
				case s.SpanContext().TraceID() != parent.SpanContext().TraceID():
				case s.Parent().SpanID() == parent.SpanContext().SpanID():
					top += s.Name()
				case s.Parent().IsValid():
					below++
				}
			}
			if top != want || below != len(statements) && len(statements) > 1 {
				t.Errorf("%v: %q with %d below", statements, top, below)
			}
		}
		if _, err := o.pg.CopyFrom(t.Context(), pgx.Identifier{"tasks"}, []string{"id"}, pgx.CopyFromRows([][]any{{7}})); err != nil {
			t.Fatal(err)
		}
		if o.durations(t)["db.collection.name=tasks,db.operation.name=COPY,db.system.name=postgresql"] != 1 {
			t.Errorf("copy is not measured: %v", o.durations(t))
		}
	})
}

// TestABatchThatFailsEarlyCountsOnce calls as pgx does: SendBatch tells of the error, and Close of the results again.
func TestABatchThatFailsEarlyCountsOnce(t *testing.T) {
	t.Parallel()
	reader, spans := sdkmetric.NewManualReader(), tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	tel := telemetry.Nop()
	tel.TracerProvider, tel.Meter = tp, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	ob, err := newObserver(Options{Telemetry: tel, Tracer: true}, target{system: attribute.String("db.system.name", "postgresql")})
	if err != nil {
		t.Fatal(err)
	}
	request, parent := tp.Tracer("test").Start(t.Context(), "request")
	tracer, batch := pgxTracer{ob}, &pgx.Batch{}
	batch.Queue("DELETE FROM tasks")
	batch.Queue("DELETE FROM tasks")
	for range 2 {
		ctx := tracer.TraceBatchStart(request, nil, pgx.TraceBatchStartData{Batch: batch})
		tracer.TraceBatchEnd(ctx, nil, pgx.TraceBatchEndData{Err: context.DeadlineExceeded})
		tracer.TraceBatchEnd(ctx, nil, pgx.TraceBatchEndData{Err: errors.New("closed")})
	}
	parent.End()
	got := observed{reader: reader}.durations(t)
	if count := got["db.operation.name=BATCH DELETE,db.system.name=postgresql,error.type=timeout"]; count != 2 || len(got) != 1 {
		t.Errorf("measured %v", got)
	}
	if n := len(spans.Ended()); n != 3 { // two batches and their request
		t.Errorf("%d spans", n)
	}
}

func TestStatementsAndTablesRememberedAreBounded(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	tel := telemetry.Nop()
	tel.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	ob, err := newObserver(Options{Telemetry: tel}, target{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxStatements {
		ob.done(t.Context(), ob.statement(fmt.Sprintf("SELECT a FROM t%d", i)), time.Now(), nil)
	}
	long := "INSERT INTO tasks VALUES " + strings.Repeat("(?, ?), ", maxStatementText)
	st := ob.statement(long)
	if _, ok := ob.statements.Load(long); ok || st.name != "INSERT tasks" {
		t.Errorf("a long statement is remembered as %s", st.name)
	}
	if n := ob.remembered.Load(); n > maxStatements {
		t.Errorf("%d statements are remembered", n)
	}
	if n := len(observed{reader: reader}.durations(t)); n != maxCollections+1 {
		t.Errorf("%d series, want %d", n, maxCollections+1)
	}
}
