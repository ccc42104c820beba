package sbom_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/tallyboard/tallyboard/services/tallyboard/internal/sbom"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ui writes a UI that imports one plain and one scoped package; "shared" is there twice, "tool" only builds.
func ui(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "src/app.svelte"), `<script>import { a } from '@team/board/core'; import './local';</script>`)
	write(t, filepath.Join(dir, "src/lib/chart.ts"), "const c = await import('chart');")
	write(t, filepath.Join(dir, "src/lib/chart.test.ts"), "import { x } from 'tool';")
	write(t, filepath.Join(dir, "package-lock.json"), `{"packages": {
		"": {"version": "1"},
		"node_modules/@team/board": {"version": "1.2.3", "license": "Apache-2.0", "dependencies": {"shared": "*"}},
		"node_modules/@team/board/node_modules/shared": {"version": "1.0.0"},
		"node_modules/chart": {"version": "4.0.0", "license": "MIT", "integrity": "sha512-x", "dependencies": {"shared": "*"}},
		"node_modules/shared": {"version": "2.0.0", "dependencies": {"chart": "*"}},
		"node_modules/tool": {"version": "9.0.0"}
	}}`)
	return dir
}

func TestWriteListsModulesAndBundledPackages(t *testing.T) {
	t.Parallel()
	binary, err := os.Executable() // a Go program with module information
	if err != nil {
		t.Fatal(err)
	}
	in := sbom.Input{Name: "test", Version: "1.0+abc", Binary: binary, UI: ui(t)}
	var first, second bytes.Buffer
	if err := sbom.Write(&first, in); err != nil {
		t.Fatal(err)
	}
	if err := sbom.Write(&second, in); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same input gives two documents")
	}
	var doc struct {
		BomFormat  string `json:"bomFormat"`
		Components []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Purl    string `json:"purl"`
		} `json:"components"`
	}
	if err := json.Unmarshal(first.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	purls := map[string]bool{}
	for _, c := range doc.Components {
		purls[c.Purl] = true
		if c.Name == "" || c.Version == "" {
			t.Errorf("incomplete: %+v", c)
		}
	}
	if doc.BomFormat != "CycloneDX" {
		t.Errorf("format %q", doc.BomFormat)
	}
	for _, want := range []string{
		"pkg:npm/%40team/board@1.2.3", "pkg:npm/chart@4.0.0", "pkg:npm/shared@1.0.0", "pkg:npm/shared@2.0.0",
	} {
		if !purls[want] {
			t.Errorf("%s is missing in %v", want, purls)
		}
	}
	if purls["pkg:npm/tool@9.0.0"] {
		t.Error("a package that ships nothing is listed")
	}
}

func TestWriteRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]sbom.Input{
		"no name":     {Binary: binary},
		"no program":  {Name: "x", Binary: filepath.Join(t.TempDir(), "missing")},
		"no lockfile": {Name: "x", Binary: binary, UI: t.TempDir()},
	} {
		if err := sbom.Write(&bytes.Buffer{}, in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
