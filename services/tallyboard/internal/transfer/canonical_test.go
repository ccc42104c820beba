package transfer

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"testing"
)

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// canonical returns the projects of a file in a form in which two installations with the same content are equal: names for
// ids, and nothing of what is an installation's own.
func canonical(t *testing.T, file string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close() //nolint:errcheck // it was only read
	out := map[string]string{}
	for _, entry := range z.File {
		if entry.Name == manifestName {
			continue
		}
		r, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[entry.Name] = canonicalProject(t, text)
	}
	return out
}

func canonicalProject(t *testing.T, text []byte) string {
	t.Helper()
	var doc struct {
		Project map[string]any
		People  []map[string]any
		Views   []map[string]any
		Tasks   []map[string]any
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{doc.Project["id"].(string): "project"}
	for _, list := range []string{"states", "labels"} {
		entries, _ := doc.Project[list].([]any)
		for _, e := range entries {
			entry := e.(map[string]any)
			names[entry["id"].(string)] = entry["name"].(string)
		}
	}
	for _, p := range doc.People {
		names[p["id"].(string)] = p["handle"].(string)
	}
	for _, task := range doc.Tasks {
		head := task["task"].(map[string]any)
		names[head["id"].(string)] = fmt.Sprint("task ", head["number"])
	}
	strip(doc.Project)
	ranks := make([][2]string, 0, len(doc.Tasks))
	for _, task := range doc.Tasks {
		head := task["task"].(map[string]any)
		ranks = append(ranks, [2]string{head["rank"].(string), fmt.Sprint(head["number"])})
	}
	slices.SortFunc(ranks, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	order := ""
	for _, r := range ranks {
		order += r[1] + " "
	}
	for _, task := range doc.Tasks {
		events, _ := task["events"].([]any)
		var kept []any
		for _, e := range events {
			event := e.(map[string]any)
			if changes, ok := event["changes"].([]any); ok {
				had := len(changes)
				changes = slices.DeleteFunc(changes, func(c any) bool {
					field := c.(map[string]any)["field"]
					return field == "rank" || field == "number" || field == "source" // an import writes down where a task came from
				})
				if had > 0 && len(changes) == 0 {
					continue
				}
				event["changes"] = changes
			}
			kept = append(kept, event)
		}
		task["events"] = kept
		strip(task)
	}
	for _, v := range doc.Views {
		strip(v)
	}
	raw, err := json.MarshalIndent(map[string]any{"project": doc.Project, "views": doc.Views, "tasks": doc.Tasks, "order": order}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return uuids.ReplaceAllStringFunc(string(raw), func(id string) string {
		if name, ok := names[id]; ok {
			return name
		}
		return "some id"
	})
}

// strip removes what is an installation's own, at every depth.
func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range []string{"rank", "pos", "recorded", "traceparent", "seq", "version", "source", "updatedBy", "shard"} {
			delete(v, name)
		}
		if _, project := v["states"]; project || v["layout"] != nil { // settings and views are made anew
			for _, name := range []string{"created", "updated", "archived"} {
				delete(v, name)
			}
		}
		if _, event := v["occurred"]; event {
			delete(v, "id")
		}
		for _, inner := range v {
			strip(inner)
		}
	case []any:
		for _, inner := range v {
			strip(inner)
		}
	}
}
