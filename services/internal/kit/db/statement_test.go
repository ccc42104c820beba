package db

import (
	"strings"
	"testing"
)

func TestStatementsAreSummarized(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"SELECT * FROM tasks WHERE id = ?":                         "SELECT tasks",
		"-- name: GetTask :one\nselect t.id from `tasks` t join x": "SELECT tasks",
		"INSERT INTO events (a) VALUES (?)":                        "INSERT events",
		"INSERT INTO events(a) VALUES (?)":                         "INSERT events",
		"INSERT IGNORE INTO leases VALUES ('FROM x')":              "INSERT leases",
		`UPDATE "projects" SET a = 1`:                              "UPDATE projects",
		"DELETE FROM sessions":                                     "DELETE sessions",
		"SELECT EXISTS(SELECT 1 FROM tasks)":                       "SELECT tasks",
		"SELECT EXISTS (SELECT 1 FROM tasks)":                      "SELECT tasks",
		"SELECT a FROM (SELECT b FROM events) e":                   "SELECT events",
		"WITH recent AS (SELECT 1 FROM a) SELECT * FROM recent":    "SELECT a",
		"WITH x AS (SELECT 1) UPDATE tasks SET a = 1":              "SELECT",
		"/* hint */ SELECT 'FROM nowhere', x FROM tasks":           "SELECT tasks",
		"SELECT 1":                        "SELECT",
		"begin":                           "BEGIN",
		"begin isolation level read only": "BEGIN",
		"commit":                          "COMMIT",
		"CREATE TABLE IF NOT EXISTS tasks (id INT)": "CREATE tasks",
		"":                               "SQL",
		"'unbalanced":                    "SQL",
		"))) SELECT a FROM tasks":        "SELECT tasks",
		"SELECT p.x FROM public.tasks p": "SELECT public.tasks",
		"INSERT INTO stats_days (d) SELECT d FROM days ON DUPLICATE KEY UPDATE d=1": "INSERT stats_days",
		"SELECT EXTRACT(EPOCH FROM created) FROM tasks":                             "SELECT tasks",
		"SELECT a IS DISTINCT FROM b, c FROM tasks":                                 "SELECT tasks",
		"SELECT x FROM unnest($1::uuid[]) AS x JOIN tasks ON true":                  "SELECT tasks",
		"SELECT count(*) FROM tasks FOR UPDATE":                                     "SELECT tasks",
		"COPY INTO \"stats_transitions\"":                                           "COPY stats_transitions",
		"FROBNICATE tasks":                                                          "_OTHER",
	} {
		if got := spanName(summarize(query)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := spanName("SELECT", strings.Repeat("x", 1000)); len(got) != maxSummaryLength {
		t.Errorf("a summary of %d bytes", len(got))
	}
}

func FuzzSummarize(f *testing.F) {
	for _, seed := range []string{"SELECT * FROM tasks", "WITH a AS (SELECT 1) SELECT", "INSERT INTO `x` (a) VALUES ('b')", "((((", "'", "/*", "--"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		operation, collection := summarize(query)
		if operation != "" && operation != "WITH" && operation != otherOperation && !operations[operation] {
			t.Errorf("%q: operation %q", query, operation)
		}
		if strings.ContainsAny(collection, "'()`\" ") {
			t.Errorf("%q: collection %q", query, collection)
		}
	})
}
