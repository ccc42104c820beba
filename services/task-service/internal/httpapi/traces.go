package httpapi

import (
	"context"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/oapi-codegen/nullable"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// QuietPaths are requests about traces and the state of the instances: watching must not add to what is watched.
var QuietPaths = []string{"/api/v1/traces", "/api/v1/operations"}

// linkPlaceholder is where the id stands in Config.TraceLinkTemplate.
const linkPlaceholder = "{traceId}"

// maxExactInt is the largest integer that every reader of JSON keeps exact (RFC 8259 §6).
const maxExactInt = 1<<53 - 1

// operate allows what is for those who run the site, and keeps caches from storing the answer.
func (s *server) operate(c *fiber.Ctx) (context.Context, error) {
	c.Set(fiber.HeaderCacheControl, "no-store")
	ctx := c.UserContext()
	return ctx, s.allow(ctx, access.OperateSite)
}

// SearchTraces lists traces.
func (s *server) SearchTraces(c *fiber.Ctx, params wire.SearchTracesParams) error {
	ctx, err := s.operate(c)
	if err != nil {
		return err
	}
	q, err := traceQuery(params)
	if err != nil {
		return err
	}
	found, err := s.Traces.Search(ctx, q)
	if err != nil {
		return err
	}
	out := wire.TraceList{Source: wire.TraceSource(s.Traces.Settings().Source), Traces: make([]wire.TraceSummary, len(found))}
	for i, t := range found {
		out.Traces[i] = traceSummaryJSON(t)
	}
	return c.JSON(out)
}

// traceQuery turns parameters, whose single values were checked already, into a query.
func traceQuery(params wire.SearchTracesParams) (traces.Query, error) {
	var f fields
	q := traces.Query{
		Service: or(params.Service, ""), Route: or(params.Route, ""), Error: params.Error, Limit: or(params.Limit, traces.DefaultLimit),
		MinDuration: time.Duration(or(params.MinMs, 0)) * time.Millisecond, MaxDuration: time.Duration(or(params.MaxMs, 0)) * time.Millisecond,
		Since: f.moment("since", params.Since), Until: f.moment("until", params.Until),
	}
	if params.Task != nil {
		ref, err := task.ParseRef(*params.Task)
		if err != nil || ref.Key == "" {
			f.faultf("task", "must be the key of a task, such as WEB-42")
		}
		q.Task = ref.String()
	}
	if params.MinMs != nil && params.MaxMs != nil && *params.MinMs > *params.MaxMs {
		f.faultf("maxMs", "must not be less than minMs")
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		f.faultf("until", "must be after since")
	}
	return q, f.err()
}

// moment reads a time; nil is the zero time.
func (f *fields) moment(name string, text *string) time.Time {
	if text == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		f.faultf(name, "must be a time such as 2026-11-02T08:15:00Z (RFC 3339)")
	}
	return t
}

// GetTraceGraph answers with who called whom.
func (s *server) GetTraceGraph(c *fiber.Ctx, params wire.GetTraceGraphParams) error {
	ctx, err := s.operate(c)
	if err != nil {
		return err
	}
	var f fields
	since := f.moment("since", params.Since)
	if err := f.err(); err != nil {
		return err
	}
	g, err := s.Traces.Graph(ctx, since)
	if err != nil {
		return err
	}
	out := wire.TraceGraph{Nodes: make([]wire.TraceNode, len(g.Nodes)), Edges: make([]wire.TraceEdge, len(g.Edges))}
	for i, n := range g.Nodes {
		out.Nodes[i] = wire.TraceNode{Service: n.Service, Calls: n.Calls, Errors: n.Errors, P95Ms: milliseconds(n.P95)}
	}
	for i, e := range g.Edges {
		out.Edges[i] = wire.TraceEdge{
			From: e.From, To: e.To, Kind: wire.TraceEdgeKind(e.Kind), Calls: e.Calls, Errors: e.Errors, P95Ms: milliseconds(e.P95),
		}
	}
	return c.JSON(out)
}

// GetTraceSettings answers with where traces come from.
func (s *server) GetTraceSettings(c *fiber.Ctx) error {
	if _, err := s.operate(c); err != nil {
		return err
	}
	settings := s.Traces.Settings()
	out := wire.TraceSettings{
		Source: wire.TraceSource(settings.Source), Capacity: nullable.NewNullNullable[int](),
		ExternalUrl: optionalText(s.Config.TraceLinkTemplate),
	}
	if settings.Capacity > 0 {
		out.Capacity.Set(settings.Capacity)
	}
	return c.JSON(out)
}

// GetTrace answers with one trace.
func (s *server) GetTrace(c *fiber.Ctx, id string) error {
	ctx, err := s.operate(c)
	if err != nil {
		return err
	}
	t, err := s.Traces.Trace(ctx, id)
	if err != nil {
		return err
	}
	return c.JSON(traceJSON(t))
}

func traceSummaryJSON(t traces.Summary) wire.TraceSummary {
	status := nullable.NewNullNullable[int]()
	if t.Status != 0 {
		status.Set(t.Status)
	}
	return wire.TraceSummary{
		TraceId: t.TraceID, Name: t.Name, Service: t.Service, Start: timeText(t.Start), DurationMs: milliseconds(t.Duration),
		Spans: t.Spans, Services: append([]string{}, t.Services...), Error: t.Error, Status: status, Route: optionalText(t.Route),
	}
}

func traceJSON(t *traces.Trace) wire.Trace {
	out := wire.Trace{
		TraceId: t.TraceID, Start: timeText(t.Start), DurationMs: milliseconds(t.Duration), Orphans: t.Orphans, Dropped: t.Dropped,
		Spans: make([]wire.Span, len(t.Spans)), CriticalPath: make([]wire.TraceSegment, len(t.CriticalPath)),
		LinkedBy: append([]string{}, t.LinkedBy...),
	}
	for i := range t.Spans {
		out.Spans[i] = spanJSON(&t.Spans[i], t.Start)
	}
	for i, p := range t.CriticalPath {
		out.CriticalPath[i] = wire.TraceSegment{SpanId: p.SpanID, OffsetMs: milliseconds(p.Start.Sub(t.Start)), DurationMs: milliseconds(p.Duration)}
	}
	return out
}

func spanJSON(s *traces.Span, origin time.Time) wire.Span {
	out := wire.Span{
		SpanId: s.SpanID, ParentId: optionalText(s.ParentID), Service: s.Service, Instance: s.Instance, Name: s.Name,
		Kind: wire.SpanKind(s.Kind), Start: timeText(s.Start), OffsetMs: milliseconds(s.Start.Sub(origin)),
		DurationMs: milliseconds(s.Duration), AdjustedMs: milliseconds(s.Adjusted), Error: s.Error, StatusMessage: s.StatusMessage,
		Attributes: attributesJSON(s.Attributes), Events: make([]wire.SpanEvent, len(s.Events)), Links: make([]wire.SpanLink, len(s.Links)),
	}
	for i, e := range s.Events {
		out.Events[i] = wire.SpanEvent{Name: e.Name, OffsetMs: milliseconds(e.Time.Sub(origin)), Attributes: attributesJSON(e.Attributes)}
	}
	for i, l := range s.Links {
		out.Links[i] = wire.SpanLink{TraceId: l.TraceID, SpanId: l.SpanID}
	}
	return out
}

func attributesJSON(in map[string]any) wire.Attributes {
	out := make(wire.Attributes, len(in))
	for k, v := range in {
		out[k] = exact(v)
	}
	return out
}

// exact turns integers that JSON readers round into text.
func exact(v any) any {
	switch v := v.(type) {
	case int64:
		if v > maxExactInt || v < -maxExactInt {
			return strconv.FormatInt(v, 10)
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = exact(v[i])
		}
		return out
	}
	return v
}

// milliseconds is a duration with microseconds as fraction.
func milliseconds(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

// checkTraceLink refuses a template that makes no link.
func checkTraceLink(template string) error {
	if template == "" {
		return nil
	}
	u, err := url.Parse(strings.ReplaceAll(template, linkPlaceholder, strings.Repeat("0", 32)))
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || !strings.Contains(template, linkPlaceholder) {
		return apperr.New(apperr.Invalid, "TRACE_LINK_TEMPLATE must be an http or https address with %s in it.", linkPlaceholder)
	}
	return nil
}
