package edge

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// nginxFile reads a file of deploy/nginx without comments.
func nginxFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../../../deploy/nginx", name))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`#.*`).ReplaceAllString(string(b), "")
}

// location is a block of routes.conf.
type location struct {
	matches func(path string) int // 0: not at all; more is a better match
	backend string
	wait    time.Duration
}

var (
	locations   = regexp.MustCompile(`(?m)^location (=|~|\^~)? ?(\S+) \{((?:[^{}]|\{[^{}]*\})*)\}`)
	setBackend  = regexp.MustCompile(`set \$backend (\$?\w+);`)
	readLimit   = regexp.MustCompile(`proxy_read_timeout +(\w+);`)
	serverLine  = regexp.MustCompile(`server \S+ resolve (.+);`)
	upstreamOne = regexp.MustCompile(`upstream (\w+) \{([^}]*)\}`)
)

// limit returns the read timeout that a piece of configuration sets, or otherwise.
func limit(t *testing.T, text string, otherwise time.Duration) time.Duration {
	t.Helper()
	found := readLimit.FindStringSubmatch(text)
	if found == nil {
		return otherwise
	}
	d, err := time.ParseDuration(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func readLocations(t *testing.T, text string) map[string]location {
	t.Helper()
	all := map[string]location{}
	for _, m := range locations.FindAllStringSubmatch(text, -1) {
		kind, pattern, body := m[1], m[2], m[3]
		l := location{wait: limit(t, body, readTimeout)}
		if b := setBackend.FindStringSubmatch(body); b != nil {
			l.backend = b[1]
		}
		switch kind {
		case "=":
			l.matches = func(path string) int { return map[bool]int{true: 3000}[path == pattern] }
		case "~":
			re := regexp.MustCompile(pattern)
			l.matches = func(path string) int { return map[bool]int{true: 2000}[re.MatchString(path)] }
		default:
			l.matches = func(path string) int { return map[bool]int{true: len(pattern)}[strings.HasPrefix(path, pattern)] }
		}
		all[pattern] = l
	}
	return all
}

func TestRulesAreThoseOfNginx(t *testing.T) {
	t.Parallel()
	all := readLocations(t, nginxFile(t, "routes.conf"))
	if all["@patient"].wait != readTimeout || all["@repeatable"].wait != promptTimeout {
		t.Errorf("@repeatable waits %s, @patient %s", all["@repeatable"].wait, all["@patient"].wait)
	}
	paths := []string{
		"/", "/projects/x", "/assets/a.js", "/health", "/livez", "/metrics", "/pool-stats", "/api/v1/projects", "/api/v1/tasks/1",
		"/api/v1/projects/x/tasks", "/api/v1/projects/x/events", "/api/v1/projects/x/import", "/api/v1/projects/x/export",
		"/api/v1/stats/overview", "/api/v1/stats/projects/x/events", "/api/v1/stats/verify", "/api/v1/stats/metrics", "/api/v1/stats/pool-stats",
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			best, score := location{}, 0
			for _, l := range all {
				if n := l.matches(path); n > score {
					best, score = l, n
				}
			}
			got := ruleOf(httptest.NewRequest(method, path, nil))
			if best.backend == "$task_group" { // a map by method, in upstreams.conf
				best.backend = map[string]string{"GET": "task_api", "POST": "task_writes", "DELETE": "task_writes"}[method]
				if method == "DELETE" {
					best = all["@once"] // by error_page 420
				}
			}
			if method == "GET" && best.backend == "task_api" && best.wait == readTimeout && strings.HasPrefix(path, "/api/") {
				best.wait = all["@repeatable"].wait // by error_page 418
			}
			if got.group != best.backend || got.wait != best.wait {
				t.Errorf("%s %s: %s for %s, but in nginx %s for %s", method, path, got.group, got.wait, best.backend, best.wait)
			}
		}
	}
}

func TestWhatMayBeSentAgainIsWhatNginxSays(t *testing.T) {
	t.Parallel()
	proxy := nginxFile(t, "proxy.conf")
	for variable, says := range map[string]func(*http.Request) bool{"may_repeat": repeatable, "only_once": onlyOnce} {
		block := regexp.MustCompile(`\$` + variable + ` \{([^}]*)\}`).FindStringSubmatch(proxy)
		if block == nil {
			t.Fatalf("no map for $%s", variable)
		}
		patterns := regexp.MustCompile(`"~([^"]+)" 1;`).FindAllStringSubmatch(block[1], -1)
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE", "PURGE"} {
			for _, key := range []string{"", "k"} {
				r := httptest.NewRequest(method, "/api/v1/tasks/1", nil)
				if key != "" {
					r.Header.Set("Idempotency-Key", key)
				}
				want := slices.ContainsFunc(patterns, func(p []string) bool { return regexp.MustCompile(p[1]).MatchString(method + " " + key) })
				if says(r) != want {
					t.Errorf("$%s of %s with key %q: %t, but in nginx %t", variable, method, key, !want, want)
				}
			}
		}
	}
}

func TestLimitsAreThoseOfNginx(t *testing.T) {
	t.Parallel()
	seconds := func(d time.Duration) string { return fmt.Sprintf("%gs", d.Seconds()) }
	proxy := nginxFile(t, "proxy.conf")
	for directive, want := range map[string]string{
		"proxy_connect_timeout": fmt.Sprintf("%dms", connectTimeout.Milliseconds()), "proxy_read_timeout": seconds(readTimeout),
		"proxy_next_upstream_tries": fmt.Sprint(tries), "proxy_next_upstream_timeout": seconds(triesTimeout),
	} {
		if !regexp.MustCompile(`(?m)^` + directive + ` +` + want + `;`).MatchString(proxy) {
			t.Errorf("proxy.conf does not say %s %s", directive, want)
		}
	}
	if main := nginxFile(t, "nginx.conf"); !strings.Contains(main, fmt.Sprintf("client_max_body_size %dm;", maxBody>>20)) ||
		!strings.Contains(main, "client_header_timeout "+seconds(headerTimeout)+";") {
		t.Error("nginx.conf says otherwise about what clients may send")
	}
	groups := upstreamOne.FindAllStringSubmatch(nginxFile(t, "upstreams.conf"), -1)
	if len(groups) != 7 {
		t.Errorf("%d groups of replicas", len(groups))
	}
	for _, g := range groups {
		server := serverLine.FindStringSubmatch(g[2])
		fails, kept := maxFails, "keepalive_timeout "+seconds(idleTimeout)+";"
		if g[1] == "task_once" {
			fails, kept = onceMaxFails, "keepalive 0;"
		}
		if want := fmt.Sprintf("max_fails=%d fail_timeout=%ds", fails, failTimeout); server == nil || server[1] != want {
			t.Errorf("%s: %v, want %s", g[1], server, want)
		}
		if !strings.Contains(g[2], "least_conn;") || !strings.Contains(g[2], kept) {
			t.Errorf("%s differs:%s", g[1], g[2])
		}
	}
}
