package db

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// pgxTracer tells an observer what pgx does. Statements that pgx prepares, and connections it makes, are part of what
// waits for them.
type pgxTracer struct{ *observer }

var (
	_ pgx.QueryTracer    = pgxTracer{}
	_ pgx.BatchTracer    = pgxTracer{}
	_ pgx.CopyFromTracer = pgxTracer{}
)

// running is an operation under way, in its context.
type running struct {
	statement *statement
	began     time.Time
	span      trace.Span // nil: not recorded
	ended     bool       // pgx tells of a batch that fails early twice: SendBatch does, and Close of its results
}

type runningKey struct{}

func (t pgxTracer) begin(ctx context.Context, st *statement) context.Context {
	now := time.Now()
	ctx, span := t.start(ctx, st, now)
	return context.WithValue(ctx, runningKey{}, &running{statement: st, began: now, span: span})
}

func (t pgxTracer) finish(ctx context.Context, err error) {
	if r, ok := ctx.Value(runningKey{}).(*running); ok && !r.ended {
		r.ended = true
		t.end(ctx, r.span, r.statement, r.began, err)
	}
}

// TraceQueryStart implements pgx.QueryTracer.
func (t pgxTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return t.begin(ctx, t.statement(data.SQL))
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t pgxTracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	t.finish(ctx, data.Err)
}

// TraceCopyFromStart implements pgx.CopyFromTracer.
func (t pgxTracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	return t.begin(ctx, t.statement("COPY INTO "+data.TableName.Sanitize()))
}

// TraceCopyFromEnd implements pgx.CopyFromTracer.
func (t pgxTracer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromEndData) {
	t.finish(ctx, data.Err)
}

// TraceBatchStart implements pgx.BatchTracer. A batch of one statement is that statement. Others are named by what their
// statements have in common, as the conventions have it, and each statement gets a span below the batch's.
func (t pgxTracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	if data.Batch == nil || data.Batch.Len() == 0 {
		return ctx
	}
	queries := data.Batch.QueuedQueries
	if len(queries) == 1 {
		return t.begin(ctx, t.statement(queries[0].SQL))
	}
	ctx = t.begin(ctx, t.plain(t.batchName(queries)))
	if r, ok := ctx.Value(runningKey{}).(*running); ok && r.span != nil {
		r.span.SetAttributes(semconv.DBOperationBatchSize(len(queries)))
		ctx = context.WithValue(ctx, batchKey{}, true)
	}
	return ctx
}

// batchKey marks the context of a recorded batch of several statements.
type batchKey struct{}

// batchName is "BATCH INSERT" if all of a batch's statements are INSERTs, not counting BEGIN and COMMIT that travel with
// them, and "BATCH" if they differ.
func (t pgxTracer) batchName(queries []*pgx.QueuedQuery) string {
	common := ""
	for _, q := range queries {
		switch operation := t.statement(q.SQL).operation; {
		case slices.Contains([]string{"BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK"}, operation):
		case common == "":
			common = operation
		case common != operation:
			return "BATCH"
		}
	}
	if common == "" {
		return "BATCH"
	}
	return "BATCH " + common
}

// TraceBatchQuery implements pgx.BatchTracer. The first statement's time has the round trip in it.
func (t pgxTracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	if ctx.Value(batchKey{}) == nil {
		return
	}
	_, span := t.start(ctx, t.statement(data.SQL), data.ReadStartTime)
	kind, status := errorType(data.Err)
	endSpan(span, kind, status)
}

// TraceBatchEnd implements pgx.BatchTracer.
func (t pgxTracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	t.finish(ctx, data.Err)
}
