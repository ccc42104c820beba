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

func canonicalProject(t *testing.T, raw []byte) string {
	t.Helper()
	var doc struct {
		Project map[string]any   `json:"project"`
		People  []map[string]any `json:"people"`
		Views   []map[string]any `json:"views"`
		Tasks   []map[string]any `json:"tasks"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{text(doc.Project["id"]): "project"}
	for _, kind := range []string{"states", "labels"} {
		for _, e := range list(doc.Project[kind]) {
			entry := object(e)
			names[text(entry["id"])] = text(entry["name"])
		}
	}
	for _, p := range doc.People {
		names[text(p["id"])] = text(p["handle"])
	}
	for _, task := range doc.Tasks {
		head := object(task["task"])
		names[text(head["id"])] = fmt.Sprint("task ", head["number"])
	}
	strip(doc.Project)
	ranks := make([][2]string, 0, len(doc.Tasks))
	for _, task := range doc.Tasks {
		head := object(task["task"])
		ranks = append(ranks, [2]string{text(head["rank"]), fmt.Sprint(head["number"])})
	}
	slices.SortFunc(ranks, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	order := ""
	for _, r := range ranks {
		order += r[1] + " "
	}
	for _, task := range doc.Tasks {
		events := list(task["events"])
		var kept []any
		for _, e := range events {
			event := object(e)
			if changes := list(event["changes"]); changes != nil {
				had := len(changes)
				changes = slices.DeleteFunc(changes, func(c any) bool {
					field := object(c)["field"]
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
	plain, err := json.MarshalIndent(map[string]any{"project": doc.Project, "views": doc.Views, "tasks": doc.Tasks, "order": order}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return uuids.ReplaceAllStringFunc(string(plain), func(id string) string {
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

// text, object and list are a value of JSON as what it should be; another is empty, and the comparison fails.
func text(v any) string {
	s, ok := v.(string)
	if !ok {
		return ""
	}
	return s
}

func object(v any) map[string]any {
	o, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	return o
}

func list(v any) []any {
	l, ok := v.([]any)
	if !ok {
		return nil
	}
	return l
}
