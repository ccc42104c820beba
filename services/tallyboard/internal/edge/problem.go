package edge

import (
	"encoding/json"
	"net/http"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// problem answers with a problem document in the form that the services use (RFC 9457).
func problem(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	document := map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "code": code, "detail": detail,
		"instance": r.URL.Path, "traceId": telemetry.TraceID(r.Context()),
	}
	_ = json.NewEncoder(w).Encode(document) //nolint:errchkjson // the client may be gone; nothing else to tell it
}
