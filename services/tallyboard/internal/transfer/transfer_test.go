package transfer

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/demo"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/launch"
)

const (
	// patience is how long statistics may take to follow.
	patience = 60 * time.Second
	// pause lies between two looks at whether they do.
	pause = 20 * time.Millisecond
)

// product starts everything on a database, and returns where it is.
func product(t *testing.T, databaseURL string) *client {
	t.Helper()
	environ := append(os.Environ(), "LOG_LEVEL=error", "OTEL_SDK_DISABLED=true", "PORT=0", "DATABASE_URL="+databaseURL, "DATA_DIR="+t.TempDir())
	cfg, err := boot.LoadConfig[launch.Config](environ)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- launch.Run(ctx, cfg, launch.Deps{Environ: environ, Out: io.Discard, Log: slog.New(slog.DiscardHandler), LogOut: t.Output(),
			UI: fstest.MapFS{}, Version: "test", Ready: func(url string) { ready <- url }})
	}()
	t.Cleanup(cancel)
	select {
	case url := <-ready:
		c := newClient(Config{URL: url})
		t.Cleanup(func() {
			c.close()
			http.DefaultClient.CloseIdleConnections() // the demo's
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		return c
	case err := <-done:
		t.Fatal(err)
		return nil
	}
}

func (c *client) must(t *testing.T, method, path, body string) map[string]any {
	t.Helper()
	var out map[string]any
	header := map[string]string{}
	if method == http.MethodPatch || method == http.MethodDelete {
		header["If-Match"] = "*"
	}
	var in any
	if body != "" {
		in = json.RawMessage(body)
	}
	var into any = &out
	if method != http.MethodGet && body == "" { // answered with nothing
		into = nil
	}
	if err := c.call(t.Context(), method, path, in, into, header); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return out
}

// fill makes the demo, a small project with a bit of everything, and an archived one.
func fill(t *testing.T, c *client) {
	t.Helper()
	if err := demo.Run(t.Context(), demo.Config{URL: c.base, Key: "DEMO", Seed: 3}, io.Discard); err != nil {
		t.Fatal(err)
	}
	zoe := text(c.must(t, http.MethodPost, "/api/v1/people", `{"handle":"zoe","name":"Zoe"}`)["id"])
	web := c.must(t, http.MethodPost, "/api/v1/projects", `{"key":"WEB","name":"Web & more","description":"Unicode: žluťoučký 🎉",
		"states":[{"name":"Open","category":"todo"},{"name":"Working","category":"doing","wipLimit":3},{"name":"Ready","category":"done"},{"name":"Old","category":"backlog"}],
		"labels":[{"name":"bug","color":"#ff0000"}]}`)
	states := map[string]string{}
	for _, s := range list(web["states"]) {
		state := object(s)
		states[text(state["name"])] = text(state["id"])
	}
	bug := text(object(list(web["labels"])[0])["id"])
	c.must(t, http.MethodPut, "/api/v1/projects/WEB/members/"+zoe, `{"role":"editor"}`)
	var third string
	for i := range 6 {
		made := c.must(t, http.MethodPost, "/api/v1/projects/WEB/tasks", fmt.Sprintf(`{"title":"Task %d","state":%q,"assignees":[%q],"labels":[%q],"priority":2,"estimate":1.5,"due":"2026-12-24"}`, i, states["Open"], zoe, bug))
		if i == 2 {
			third = text(made["id"])
		}
	}
	c.must(t, http.MethodPatch, "/api/v1/tasks/WEB-1", `{"state":"`+states["Working"]+`"}`)
	c.must(t, http.MethodPatch, "/api/v1/tasks/WEB-1", `{"state":"`+states["Ready"]+`"}`)
	c.must(t, http.MethodPatch, "/api/v1/tasks/WEB-2", `{"description":"# More\n\"quoted\"","parent":"`+third+`"}`)
	c.must(t, http.MethodPost, "/api/v1/tasks/WEB-2/comments", `{"body":"Hello @zoe"}`)
	c.must(t, http.MethodPut, "/api/v1/tasks/WEB-4/relations/blocks/WEB-5", ``)
	c.must(t, http.MethodDelete, "/api/v1/tasks/WEB-6", ``)
	c.must(t, http.MethodPatch, "/api/v1/projects/WEB/states/"+states["Old"], `{"archived":true}`)
	c.must(t, http.MethodPost, "/api/v1/projects/WEB/views", `{"name":"Mine","filter":"assignee:zoe","layout":"board","shared":true}`)
	c.must(t, http.MethodPost, "/api/v1/projects", `{"key":"OLD","name":"Old"}`)
	c.must(t, http.MethodPost, "/api/v1/projects/OLD/tasks", `{"title":"Long ago"}`)
	c.must(t, http.MethodPatch, "/api/v1/projects/OLD", `{"archived":true}`)
}

// figures are the statistics of a project, with names in place of ids.
func figures(t *testing.T, c *client, key string) string {
	t.Helper()
	var names []string
	p := c.must(t, http.MethodGet, "/api/v1/projects/"+key, "")
	for _, kind := range []string{"states", "labels"} {
		for _, e := range list(p[kind]) {
			entry := object(e)
			names = append(names, text(entry["id"]), text(entry["name"]))
		}
	}
	for _, e := range list(c.must(t, http.MethodGet, "/api/v1/people", "")["people"]) {
		entry := object(e)
		names = append(names, text(entry["id"]), text(entry["handle"]))
	}
	look := time.NewTicker(pause)
	defer look.Stop()
	for deadline := time.Now().Add(patience); c.must(t, http.MethodGet, "/api/v1/stats/status", "")["lagPositions"] != float64(0); <-look.C {
		if time.Now().After(deadline) {
			t.Fatal("statistics do not catch up")
		}
	}
	if v := c.must(t, http.MethodGet, "/api/v1/stats/verify", ""); v["equal"] != true {
		t.Errorf("statistics differ from a recount: %v", v)
	}
	var all strings.Builder
	for _, figure := range []string{"summary", "throughput", "times", "flow", "burnup"} {
		answer := c.must(t, http.MethodGet, "/api/v1/stats/projects/"+key+"/"+figure, "")
		for _, own := range []string{"asOf", "pos", "position", "freshness", "lag", "now"} {
			delete(answer, own)
		}
		raw, err := json.MarshalIndent(answer, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s: %s\n", figure, raw)
	}
	return uuids.ReplaceAllString(strings.NewReplacer(names...).Replace(all.String()), "a task")
}

func TestAnInstallationMovesBetweenEngines(t *testing.T) {
	t.Parallel()
	for name, urls := range map[string][2]func(testing.TB) string{
		"from MySQL to PostgreSQL": {testkit.MySQL, testkit.Postgres},
		"from PostgreSQL to MySQL": {testkit.Postgres, testkit.MySQL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to, dir := product(t, urls[0](t)), product(t, urls[1](t)), t.TempDir()
			fill(t, from)
			first, second := filepath.Join(dir, "first.zip"), filepath.Join(dir, "second.zip")
			if err := Export(t.Context(), Config{URL: from.base}, "test", first, nil, t.Output()); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second adds nothing
				if err := Import(t.Context(), Config{URL: to.base}, first, false, nil, t.Output()); err != nil {
					t.Fatal(err)
				}
			}
			if err := Export(t.Context(), Config{URL: to.base}, "test", second, nil, t.Output()); err != nil {
				t.Fatal(err)
			}
			want, got := canonical(t, first), canonical(t, second)
			if len(want) != 3 {
				t.Errorf("%d projects were exported, want 3", len(want))
			}
			for file := range want {
				compare(t, file, want[file], got[file])
			}
			for _, key := range []string{"DEMO", "WEB"} {
				compare(t, "statistics of "+key, figures(t, from, key), figures(t, to, key))
			}
		})
	}
}

// compare shows the first lines that differ.
func compare(t *testing.T, what, want, got string) {
	t.Helper()
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			t.Errorf("%s, line %d: want %s, got %s\n%s", what, i+1, x, y, strings.Join(a[max(0, i-10):min(len(a), i+10)], "\n"))
			return
		}
	}
}

func TestWhatIsThereIsNotOverwritten(t *testing.T) {
	t.Parallel()
	c, dir := product(t, testkit.Postgres(t)), t.TempDir()
	c.must(t, http.MethodPost, "/api/v1/projects", `{"key":"WEB","name":"Web"}`)
	c.must(t, http.MethodPost, "/api/v1/projects/WEB/tasks", `{"title":"Here"}`)
	file := filepath.Join(dir, "a.zip")
	if err := Export(t.Context(), Config{URL: c.base}, "test", file, nil, io.Discard); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	if err := Export(t.Context(), Config{URL: c.base}, "test", file, nil, io.Discard); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a second export to the same file: %v", err)
	}

	if err := place(filepath.Join(dir, "none.part"), file); err == nil {
		t.Error("a file took the name of another")
	}
	if info, err := os.Stat(file); err != nil || info.Size() == 0 {
		t.Errorf("the file after that: %v, %v", info, err)
	}

	other := product(t, testkit.Postgres(t))
	other.must(t, http.MethodPost, "/api/v1/projects", `{"key":"WEB","name":"Another"}`)
	other.must(t, http.MethodPost, "/api/v1/projects/WEB/tasks", `{"title":"There"}`)
	err := Import(t.Context(), Config{URL: other.base}, file, false, nil, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "with other tasks") {
		t.Errorf("an import over another project: %v", err)
	}
	count := func() int {
		return len(list(other.must(t, http.MethodGet, "/api/v1/projects/WEB/tasks", "")["tasks"]))
	}
	if n := count(); n != 1 {
		t.Errorf("%d tasks after a refused import", n)
	}
	whole, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close() //nolint:errcheck // it was only read
	if err := Import(t.Context(), Config{URL: other.base}, "-", true, whole, io.Discard); err != nil {
		t.Errorf("with -merge, from standard input: %v", err)
	}
	if n := count(); n != 2 {
		t.Errorf("%d tasks after merging, want 2", n)
	}
	damaged(t, other, file)
}

// damaged files are refused as a whole.
func damaged(t *testing.T, c *client, file string) {
	t.Helper()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var other bytes.Buffer
	z := zip.NewWriter(&other)
	for name, content := range map[string]string{
		manifestName:        `{"format":1,"projects":[{"key":"NEW","file":"projects/NEW.json","sha256":"00","tasks":0}]}`,
		"projects/NEW.json": `{"tallyboard":{"format":1},"project":{"key":"NEW","name":"New"},"tasks":[]}`,
	} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for what, content := range map[string][]byte{"cut off": whole[:len(whole)/2], "no zip": []byte("hello"), "another sum": other.Bytes()} {
		if err := Import(t.Context(), Config{URL: c.base}, "-", false, bytes.NewReader(content), io.Discard); err == nil {
			t.Errorf("a file that is %s was imported", what)
		}
	}
	if _, there, err := (&importing{client: c}).existing(t.Context(), "NEW"); err != nil || there {
		t.Errorf("a damaged file made a project: %v, %v", there, err)
	}
}
