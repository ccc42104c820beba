package traces

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Limits of what a browser may send at once.
const (
	// MaxBrowserBody is the size of a request at most, in bytes.
	MaxBrowserBody = 64 << 10
	// MaxBrowserSpans is the number of spans in a request at most; further ones are rejected.
	MaxBrowserSpans = 100
	// maxBrowserText is the length of a name or value at most, in bytes.
	maxBrowserText = 256
	// maxBrowserAttributes is the number of attributes of a span at most.
	maxBrowserAttributes = 32
	// maxBrowserDuration is how long a span may last. Nobody waits longer for an answer.
	maxBrowserDuration = 10 * time.Minute
	// maxClockError is how far a browser's clock may be off before its spans are rejected: about a century, so that no sum of
	// times leaves its range.
	maxClockError = 100 * 365 * 24 * time.Hour
)

// The attributes browsers may set: single ones and groups by prefix. Others, such as addresses, are not kept.
var (
	browserAttributes = []string{
		"http.request.method", "http.response.status_code", "http.route", "url.template", "error.type", AttrTaskKey, AttrProjectKey,
	}
	browserPrefixes = []string{"ui.", "web_vital.", "network.", "messaging."}
)

// The media types of OTLP over HTTP.
const (
	mimeJSON     = "application/json"
	mimeProtobuf = "application/x-protobuf"
)

// ServeBrowser takes in spans of a browser: an OTLP/HTTP request in JSON or protobuf. Nothing in it is believed: whatever
// the spans say, they become spans of the service "browser", of the kinds internal, client or consumer, without events,
// links and messages, with attributes of a fixed list, and they never replace a span. Spans of traces that no service has
// told of are kept for a minute, in bounded number, and not shown.
//
// It answers 200 with what was rejected (OTLP's partial success), 400 for what cannot be read, 405, 413 above
// MaxBrowserBody and 415. Who may call it, and how often, is for the edge to say.
func (b *Buffer) ServeBrowser(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, refusal("spans are sent by POST"))
		return
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mimeJSON && media != mimeProtobuf || r.Header.Get("Content-Encoding") != "" {
		answer(w, http.StatusUnsupportedMediaType, refusal("spans are sent as "+mimeJSON+" or "+mimeProtobuf+", not compressed"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBrowserBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		answer(w, http.StatusRequestEntityTooLarge, refusal(fmt.Sprintf("at most %d bytes are read", MaxBrowserBody)))
		return
	}
	if err != nil { // the client is gone, or nearly so
		answer(w, http.StatusBadRequest, refusal("the body did not arrive"))
		return
	}
	groups, err := decode(media, body)
	if err != nil {
		answer(w, http.StatusBadRequest, refusal("this is not a request to export traces"))
		return
	}
	spans, rejected := sanitize(groups, b.cfg.Now())
	dropped := b.add(spans, true)
	switch {
	case b.cfg.OnBrowser == nil:
		rejected += dropped
	case len(spans) > 0:
		byTrace := map[string][]Span{}
		for _, s := range spans {
			byTrace[s.traceID] = append(byTrace[s.traceID], s.span)
		}
		b.cfg.OnBrowser(byTrace)
	}
	answer(w, http.StatusOK, exported(rejected))
}

func decode(media string, body []byte) ([]*tracepb.ResourceSpans, error) {
	if media == mimeJSON {
		return decodeJSON(body)
	}
	var request tracepb.TracesData // on the wire the same as ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &request); err != nil {
		return nil, fmt.Errorf("decode OTLP protobuf: %w", err)
	}
	return request.GetResourceSpans(), nil
}

// sanitize returns what is kept of a browser's spans, and how many are not kept at all.
func sanitize(groups []*tracepb.ResourceSpans, now time.Time) (kept []received, rejected int) {
	all := convert(groups)
	for i := range all[:min(len(all), MaxBrowserSpans)] {
		s := all[i].span
		if off := s.Start.Sub(now); off < -maxClockError || off > maxClockError || s.Duration > maxBrowserDuration {
			continue
		}
		kind := Internal
		if s.Kind == Client || s.Kind == Consumer {
			kind = s.Kind
		}
		kept = append(kept, received{traceID: all[i].traceID, span: Span{
			SpanID: s.SpanID, ParentID: s.ParentID, Service: BrowserService, Name: plain(s.Name), Kind: kind,
			Start: s.Start, Duration: s.Duration, Error: s.Error, Attributes: allowed(s.Attributes),
		}})
	}
	return kept, count(groups) - len(kept)
}

// allowed returns the attributes that a browser may set, in bounded number and length. Lists are not among them.
func allowed(in map[string]any) map[string]any {
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if len(key) > maxBrowserText || !isAllowed(key) || len(out) >= maxBrowserAttributes {
			continue
		}
		switch v := in[key].(type) {
		case string:
			out[plain(key)] = plain(v)
		case bool, int64, float64:
			out[plain(key)] = v
		}
	}
	return out
}

func isAllowed(key string) bool {
	return slices.Contains(browserAttributes, key) ||
		slices.ContainsFunc(browserPrefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// plain returns text without control characters and at most maxBrowserText bytes long.
func plain(text string) string {
	return cutTo(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text), maxBrowserText)
}

// exportAnswer is OTLP's ExportTraceServiceResponse, or the google.rpc.Status of a failure.
type exportAnswer struct {
	Message        string          `json:"message,omitempty"`
	PartialSuccess *partialSuccess `json:"partialSuccess,omitempty"`
}

type partialSuccess struct {
	RejectedSpans string `json:"rejectedSpans"`
	ErrorMessage  string `json:"errorMessage"`
}

func refusal(message string) exportAnswer { return exportAnswer{Message: message} }

func exported(rejected int) exportAnswer {
	if rejected == 0 {
		return exportAnswer{}
	}
	return exportAnswer{PartialSuccess: &partialSuccess{strconv.Itoa(rejected), "malformed spans, or more than are kept"}}
}

func answer(w http.ResponseWriter, status int, body exportAnswer) {
	w.Header().Set("Content-Type", mimeJSON)
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		return // the client is gone
	}
}
