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
	a := h.Do("GET", docsPath, "")
	page := string(a.Body)
	if a.Status != 200 || !strings.Contains(page, "/api/v1/projects/{key}/tasks") || !strings.Contains(page, `id="schema-TaskPatch"`) {
		t.Fatalf("documentation: %d, %d bytes", a.Status, len(page))
	}
	policy := a.Header.Get("Content-Security-Policy")
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
	if again := h.Do("GET", docsPath, "", "If-None-Match: "+a.Header.Get("ETag")); again.Status != 304 {
		t.Errorf("unchanged page: %d", again.Status)
	}
	spec := h.Do("GET", "/api/v1/openapi.yaml", "")
	if spec.Status != 200 || string(spec.Body) != string(api.Spec) {
		t.Errorf("description: %d", spec.Status)
	}
	if a := h.Do("GET", "/problems/stale-version", ""); a.Status != 302 || a.Header.Get("Location") != "/api/docs#problem-stale-version" {
		t.Errorf("type of a problem: %d %v", a.Status, a.Header)
	}
	h.Do("GET", "/problems/unheard-of", "").Problem(t, 404)
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
		a := h.Do("GET", target, "", html)
		policy := a.Header.Get("Content-Security-Policy")
		if a.Status != 200 || !strings.Contains(string(a.Body), "<title>") || a.Header.Get("Cache-Control") != "no-cache" ||
			strings.Contains(policy, "unsafe") || !strings.Contains(policy, "connect-src 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %d %v %s", target, a.Status, a.Header, a.Body)
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
		a := h.Do("GET", "/assets/app-1a2b.js", "", "Accept-Encoding: "+accept)
		if a.Status != 200 || a.Header.Get("Content-Encoding") != want[0] || string(a.Body) != want[1] ||
			!strings.Contains(a.Header.Get("Cache-Control"), "immutable") || a.Header.Get("Vary") != "Accept-Encoding" ||
			!strings.HasPrefix(a.Header.Get("Content-Type"), "text/javascript") {
			t.Errorf("%q: %d %v %s", accept, a.Status, a.Header, a.Body)
		}
		if b := h.Do("GET", "/assets/app-1a2b.js", "", "Accept-Encoding: "+accept, "If-None-Match: "+a.Header.Get("ETag")); b.Status != 304 {
			t.Errorf("%q: unchanged file answered with %d", accept, b.Status)
		}
	}
	if a := h.Do("HEAD", "/favicon.svg", ""); a.Status != 200 || a.Header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("favicon: %d %v", a.Status, a.Header)
	}
	for _, target := range []string{"/assets/gone.js", "/api", "/api/", "/api/v2/x", "/.gitkeep", "/assets/app-1a2b.js.br"} {
		h.Do("GET", target, "", "Accept: */*").Problem(t, 404)
	}
	h.Do("GET", "/api/v1/unheard-of", "", html).Problem(t, 404)
	h.Do("GET", "/assets/gone.css", "", html).Problem(t, 404)
	h.Do("POST", "/p/WEB", "").Problem(t, 404)
}

func TestUnbuiltUISaysSo(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Projects: newFakeProjects(t), UI: fstest.MapFS{".gitkeep": {}}})
	if a := h.Do("GET", "/", "", "Accept: text/html"); a.Status != 503 || !strings.Contains(string(a.Body), "make run") {
		t.Errorf("answer %d %s", a.Status, a.Body)
	}
}
