package edge

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// The limits of deploy/nginx. A test compares them with the files: change both.
const (
	connectTimeout  = 500 * time.Millisecond // proxy_connect_timeout
	readTimeout     = 20 * time.Second       // proxy_read_timeout, where nothing else is said
	promptTimeout   = 3 * time.Second        // of @repeatable, pages and health
	statsTimeout    = 5 * time.Second        // of figures
	verifyTimeout   = 130 * time.Second      // of a recount
	streamTimeout   = 35 * time.Second       // of live streams
	transferTimeout = 300 * time.Second      // of imports and exports

	tries        = 3                // proxy_next_upstream_tries
	triesTimeout = 10 * time.Second // proxy_next_upstream_timeout
	maxFails     = 5                // max_fails
	onceMaxFails = 1                // max_fails of task_once
	failTimeout  = 1                // fail_timeout, in whole seconds as nginx counts them
	maxBody      = 2 << 20          // client_max_body_size
	idleConns    = 64               // keepalive
	idleTimeout  = 50 * time.Second // keepalive_timeout
)

// statsPrefix is what stats-service answers; task-service answers everything else.
const statsPrefix = "/api/v1/stats/"

var (
	taskStream  = regexp.MustCompile(`^/api/v1/projects/[^/]+/events$`)
	statsStream = regexp.MustCompile(`^/api/v1/stats/projects/[^/]+/events$`)
	taskImport  = regexp.MustCompile(`^/api/v1/projects/[^/]+/import$`)
	taskExport  = regexp.MustCompile(`^/api/v1/projects/[^/]+/export$`)
)

// rule is what a location of deploy/nginx/routes.conf says about a request.
type rule struct {
	group string        // of replicas, as upstreams.conf names it
	wait  time.Duration // for the first byte of one replica's answer
	// patient: if no replica has begun to answer within wait, they are asked once more, for readTimeout.
	patient bool
	// again: a write with an Idempotency-Key may be sent to another replica after it was sent to one.
	again bool
}

// ruleOf returns the rule of a request.
func ruleOf(r *http.Request) rule {
	path := r.URL.Path
	switch {
	case path == statsPrefix+"verify":
		return rule{group: "stats_api", wait: verifyTimeout}
	case path == statsPrefix+"metrics", path == statsPrefix+"pool-stats":
		return rule{group: "stats_api", wait: readTimeout}
	case statsStream.MatchString(path):
		return rule{group: "stats_long", wait: streamTimeout}
	case taskStream.MatchString(path):
		return rule{group: "task_long", wait: streamTimeout}
	case taskImport.MatchString(path), taskExport.MatchString(path):
		return rule{group: "task_long", wait: transferTimeout}
	case strings.HasPrefix(path, statsPrefix):
		return rule{group: "stats_api", wait: statsTimeout, patient: repeatable(r)}
	case strings.HasPrefix(path, "/api/") && repeatable(r):
		return rule{group: taskGroup(r), wait: promptTimeout, patient: true, again: true}
	case strings.HasPrefix(path, "/api/") && onlyOnce(r):
		return rule{group: "task_once", wait: readTimeout}
	case strings.HasPrefix(path, "/api/"):
		return rule{group: taskGroup(r), wait: readTimeout}
	case path == "/metrics", path == "/pool-stats":
		return rule{group: "task_api", wait: readTimeout}
	case path == "/health", path == "/livez":
		return rule{group: "task_api", wait: promptTimeout}
	}
	return rule{group: "task_pages", wait: promptTimeout}
}

// taskGroup is what nginx's $task_group says: failures of reads and of changes are counted apart.
func taskGroup(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return "task_api"
	}
	return "task_writes"
}

// repeatable is what nginx's $may_repeat says: reads, and changes with an Idempotency-Key.
func repeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	case http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete:
		return r.Header.Get("Idempotency-Key") != ""
	}
	return false
}

// onlyOnce is what nginx's $only_once says: PUT and DELETE without an Idempotency-Key, which nginx would send again by itself.
func onlyOnce(r *http.Request) bool {
	return !repeatable(r) && (r.Method == http.MethodPut || r.Method == http.MethodDelete)
}
