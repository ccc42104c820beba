package httpapi

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// The server span of a request says which task and project it is about, so that traces are found from there. Only keys of
// projects that exist, and that the caller may see, get there: what a caller makes up does not.

func tagTask(ctx context.Context, t *task.Task) {
	tagKey(ctx, t.Key())
	tagProject(ctx, t.ProjectKey)
}

func tagKey(ctx context.Context, key string) { tag(ctx, traces.AttrTaskKey, key) }

func tagProject(ctx context.Context, key string) { tag(ctx, traces.AttrProjectKey, key) }

func tag(ctx context.Context, name, value string) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(attribute.String(name, value))
	}
}
