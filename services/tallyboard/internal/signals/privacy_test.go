package signals

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// secret makes a word that exists nowhere but where a person put it.
func secret(of string) string { return "zq" + of + "xw" }

// TestNothingPeopleWroteIsInAnySignal writes a marked word into every place where people write, and into what their
// browsers send along, in requests that succeed and in requests that fail. Traces, metrics and logs must hold none.
func TestNothingPeopleWroteIsInAnySignal(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "LOG_LEVEL=debug")
	headers := []string{
		"User-Agent: " + secret("agent"), "Referer: http://example.org/" + secret("referer"), "Cookie: session=" + secret("cookie"),
		"Authorization: Bearer " + secret("token"), "X-Forwarded-For: 203.0.113.77", "X-Real-Ip: 203.0.113.77",
		"baggage: person=" + secret("baggage"), "Accept-Language: " + secret("language"),
	}
	var places []string
	in := func(place string) string {
		places = append(places, place)
		return secret(place)
	}
	write := func(method, path, body string, want int, more ...string) {
		t.Helper()
		p.call(t, method, path, body, want, nil, append(more, headers...)...)
	}
	write("POST", "/api/v1/people", fmt.Sprintf(`{"handle":%q,"name":%q}`, in("handle"), in("person")), http.StatusCreated)
	write("POST", "/api/v1/projects", fmt.Sprintf(`{"key":"PRIV","name":%q,"description":%q}`, in("project"), in("about")), http.StatusCreated)
	write("POST", "/api/v1/projects/PRIV/labels", fmt.Sprintf(`{"name":%q,"color":"#112233"}`, in("label")), http.StatusCreated)
	write("POST", "/api/v1/projects/PRIV/views", fmt.Sprintf(`{"name":%q,"filter":"%s","layout":"list"}`, in("view"), in("viewfilter")), http.StatusCreated)
	write("POST", "/api/v1/projects/PRIV/tasks", fmt.Sprintf(`{"title":%q,"description":%q}`, in("title"), in("description")), http.StatusCreated,
		"Idempotency-Key: "+in("idempotency"))
	write("PATCH", "/api/v1/tasks/PRIV-1", fmt.Sprintf(`{"title":%q}`, in("newtitle")), http.StatusOK, `If-Match: "1"`)
	write("POST", "/api/v1/tasks/PRIV-1/comments", fmt.Sprintf(`{"body":%q}`, in("comment")), http.StatusCreated)
	write("POST", "/api/v1/projects/PRIV/quickadd/parse", fmt.Sprintf(`{"text":%q}`, in("quickadd")), http.StatusOK)
	write("POST", "/api/v1/projects/PRIV/import?format=csv&dryRun=true",
		"id,title,created_date\n1,"+in("imported")+",2026-01-05T09:00:00Z\n"+in("badrow")+",x,"+in("baddate")+"\n", http.StatusOK, "Content-Type: text/csv")

	read := func(path string, want int) { t.Helper(); write("GET", path, "", want) }
	read("/api/v1/tasks?filter="+in("query"), http.StatusOK)
	read("/api/v1/tasks?"+in("parameter")+"=1", http.StatusBadRequest)
	read("/api/v1/projects/PRIV/tasks?filter="+url.QueryEscape(`"`+in("search")+`"`), http.StatusOK)
	read("/api/v1/projects/PRIV/tasks?filter="+url.QueryEscape(`nosuchfield:`+in("badfilter")), http.StatusBadRequest)
	read("/api/v1/stats/projects/PRIV/summary?filter="+url.QueryEscape("label:"+in("statsfilter")), http.StatusBadRequest)
	read("/"+in("path")+"@example.org/private", http.StatusNotFound)
	read("/api/v1/"+in("apipath"), http.StatusNotFound)
	write("POST", "/api/v1/projects/PRIV/tasks", fmt.Sprintf(`{"title":7,%q:true}`, in("badbody")), http.StatusBadRequest)
	p.awaitApplied(t, "PRIV", 1)
	places = append(places, "agent", "referer", "cookie", "token", "baggage", "language")

	signals := map[string]string{
		"logs": p.logs.String(), "metrics of task-service": string(p.send(t, "GET", "/metrics", "").body),
		"metrics of stats-service": string(p.send(t, "GET", "/api/v1/stats/metrics", "").body),
	}
	id, _ := p.call(t, "PATCH", "/api/v1/tasks/PRIV-1", `{"priority":2}`, http.StatusOK, nil, `If-Match: "2"`).trace()
	p.awaitTrace(t, id, whole) // all that came before it has been exported
	ids := p.traces(t)
	if len(ids) < 10 {
		t.Fatalf("%d traces: too few to have looked at", len(ids))
	}
	for _, id := range ids {
		signals["trace "+id] = string(p.send(t, "GET", "/api/v1/traces/"+id, "").body)
	}
	for name, text := range signals {
		if len(text) < 100 {
			t.Errorf("%s: too little to have looked at: %q", name, text)
		}
		for _, place := range places {
			if i := strings.Index(text, secret(place)); i >= 0 {
				t.Errorf("%s: what a person wrote as %s: …%s…", name, place, text[max(0, i-200):min(len(text), i+100)])
			}
		}
		if strings.Contains(text, "203.0.113.77") {
			t.Errorf("%s: a person's address", name)
		}
	}
}
