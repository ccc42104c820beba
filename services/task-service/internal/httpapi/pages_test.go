package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tallyboard/tallyboard/services/task-service/api"
)

func TestDocumentationStandsAlone(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Projects: newFakeProjects(t)})
	a := h.do("GET", docsPath, "")
	page := string(a.body)
	if a.status != 200 || !strings.Contains(page, "/api/v1/projects/{key}/tasks") || !strings.Contains(page, `id="schema-TaskPatch"`) {
		t.Fatalf("documentation: %d, %d bytes", a.status, len(page))
	}
	policy := a.header.Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	if !strings.Contains(policy, base64.StdEncoding.EncodeToString(sum[:])) {
		t.Error("the policy does not allow the page's own style")
	}
	for _, forbidden := range []string{"<script", "style=", " on", "http://", "https://"} {
		if forbidden == " on" {
			if regexp.MustCompile(`<[^>]* on[a-z]+=`).MatchString(page) {
				t.Error("the page has an inline handler")
			}
			continue
		}
		if strings.Contains(page, forbidden) {
			t.Errorf("the page has %q", forbidden)
		}
	}
	for _, target := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `id="`+target[1]+`"`) {
			t.Errorf("link to nowhere: #%s", target[1])
		}
	}
	if again := h.do("GET", docsPath, "", "If-None-Match: "+a.header.Get("ETag")); again.status != 304 {
		t.Errorf("unchanged page: %d", again.status)
	}
	spec := h.do("GET", "/api/v1/openapi.yaml", "")
	if spec.status != 200 || string(spec.body) != string(api.Spec) {
		t.Errorf("description: %d", spec.status)
	}
	if a := h.do("GET", "/problems/stale-version", ""); a.status != 302 || a.header.Get("Location") != "/api/docs#problem-stale-version" {
		t.Errorf("type of a problem: %d %v", a.status, a.header)
	}
	h.do("GET", "/problems/unheard-of", "").problem(t, 404)
}

func TestUIFilesAreServedWell(t *testing.T) {
	t.Parallel()
	ui := fstest.MapFS{
		"index.html":            {Data: []byte("<!doctype html><title>T</title>")},
		"assets/app-1a2b.js":    {Data: []byte("plain script")},
		"assets/app-1a2b.js.br": {Data: []byte("brotli script")},
		"assets/app-1a2b.js.gz": {Data: []byte("gzip script")},
		"favicon.svg":           {Data: []byte("<svg/>")},
		".gitkeep":              {Data: []byte("")},
	}
	h := serve(t, Deps{Projects: newFakeProjects(t), UI: ui})
	html := "Accept: text/html,application/xhtml+xml"
	for _, target := range []string{"/", "/p/WEB/board", "/index.html", "/p/WEB/tasks/WEB-1.2"} {
		a := h.do("GET", target, "", html)
		policy := a.header.Get("Content-Security-Policy")
		if a.status != 200 || !strings.Contains(string(a.body), "<title>") || a.header.Get("Cache-Control") != "no-cache" ||
			strings.Contains(policy, "unsafe") || !strings.Contains(policy, "connect-src 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %d %v %s", target, a.status, a.header, a.body)
		}
	}
	for accept, want := range map[string][2]string{
		"gzip, deflate, br, zstd": {"br", "brotli script"},
		"gzip":                    {"gzip", "gzip script"},
		"br;q=0, gzip;q=0.5":      {"gzip", "gzip script"},
		"*":                       {"br", "brotli script"},
		"identity":                {"", "plain script"},
		"br;q=junk":               {"", "plain script"},
	} {
		a := h.do("GET", "/assets/app-1a2b.js", "", "Accept-Encoding: "+accept)
		if a.status != 200 || a.header.Get("Content-Encoding") != want[0] || string(a.body) != want[1] ||
			!strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.header.Get("Vary") != "Accept-Encoding" ||
			!strings.HasPrefix(a.header.Get("Content-Type"), "text/javascript") {
			t.Errorf("%q: %d %v %s", accept, a.status, a.header, a.body)
		}
		if b := h.do("GET", "/assets/app-1a2b.js", "", "Accept-Encoding: "+accept, "If-None-Match: "+a.header.Get("ETag")); b.status != 304 {
			t.Errorf("%q: unchanged file answered with %d", accept, b.status)
		}
	}
	if a := h.do("HEAD", "/favicon.svg", ""); a.status != 200 || a.header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("favicon: %d %v", a.status, a.header)
	}
	for _, target := range []string{"/assets/gone.js", "/api", "/api/", "/api/v2/x", "/.gitkeep", "/assets/app-1a2b.js.br"} {
		h.do("GET", target, "", "Accept: */*").problem(t, 404)
	}
	h.do("GET", "/api/v1/unheard-of", "", html).problem(t, 404)
	h.do("GET", "/assets/gone.css", "", html).problem(t, 404)
	h.do("POST", "/p/WEB", "").problem(t, 404)
}

func TestUnbuiltUISaysSo(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Projects: newFakeProjects(t), UI: fstest.MapFS{".gitkeep": {}}})
	if a := h.do("GET", "/", "", "Accept: text/html"); a.status != 503 || !strings.Contains(string(a.body), "make run") {
		t.Errorf("answer %d %s", a.status, a.body)
	}
}
