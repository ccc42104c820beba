package sbom

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// lockFile is the part of package-lock.json (version 3) that matters here.
type lockFile struct {
	Packages map[string]lockedPackage `json:"packages"`
}

type lockedPackage struct {
	Version      string            `json:"version"`
	License      string            `json:"license"`
	Integrity    string            `json:"integrity"`
	Dependencies map[string]string `json:"dependencies"`
}

// moduleImport finds the packages that a source file imports: from 'a', import('a'), import 'a'.
var moduleImport = regexp.MustCompile(`(?:from|import)\s*\(?\s*['"](@[\w.-]+/[\w.-]+|[\w][\w.-]*)`)

// npmComponents lists the packages that the UI's sources import, and what those depend on. Packages that only build or
// test the UI are left out: nothing of them is shipped.
func npmComponents(dir string) ([]component, error) {
	content, err := os.ReadFile(filepath.Join(dir, "package-lock.json")) //nolint:gosec // named by who builds
	if err != nil {
		return nil, fmt.Errorf("read the UI's lock file: %w", err)
	}
	var lock lockFile
	if err := json.Unmarshal(content, &lock); err != nil {
		return nil, fmt.Errorf("read the UI's lock file: %w", err)
	}
	imported, err := importedPackages(filepath.Join(dir, "src"))
	if err != nil {
		return nil, err
	}
	shipped := map[string]bool{} // by path in the lock file
	for _, name := range imported {
		lock.closure("", name, shipped)
	}
	if len(shipped) == 0 {
		return nil, errors.New("the UI's sources import no package of its lock file")
	}
	components := make([]component, 0, len(shipped))
	for _, path := range slices.Sorted(maps.Keys(shipped)) {
		p := lock.Packages[path]
		name := path[strings.LastIndex(path, "node_modules/")+len("node_modules/"):]
		c := component{Type: "library", Name: name, Version: p.Version, Purl: npmPurl(name, p.Version), Ref: npmPurl(name, p.Version)}
		if p.License != "" {
			c.Licenses = []license{{p.License}}
		}
		if p.Integrity != "" {
			c.Properties = []property{{"npm:integrity", p.Integrity}}
		}
		components = append(components, c)
	}
	return components, nil
}

// closure adds the package that name means to the package at path from, and all it depends on. Names that are no
// packages of the lock file (built-in modules, aliases) are passed over.
func (l lockFile) closure(from, name string, shipped map[string]bool) {
	path, ok := l.resolve(from, name)
	if !ok || shipped[path] {
		return
	}
	shipped[path] = true
	for dependency := range l.Packages[path].Dependencies {
		l.closure(path, dependency, shipped)
	}
}

// resolve looks a package up as Node does: in the folder of the package that asks, then outwards.
func (l lockFile) resolve(from, name string) (path string, ok bool) {
	for {
		path = strings.TrimPrefix(from+"/node_modules/"+name, "/")
		if _, ok := l.Packages[path]; ok {
			return path, true
		}
		if from == "" {
			return "", false
		}
		from = strings.TrimSuffix(from[:max(0, strings.LastIndex(from, "node_modules/"))], "/")
	}
}

func importedPackages(dir string) ([]string, error) {
	names := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir(), strings.Contains(entry.Name(), ".test."):
			return nil
		}
		switch filepath.Ext(path) {
		case ".ts", ".js", ".mjs", ".svelte", ".css":
		default:
			return nil
		}
		content, err := os.ReadFile(path) //nolint:gosec // below a folder named by who builds
		if err != nil {
			return err
		}
		for _, match := range moduleImport.FindAllSubmatch(content, -1) {
			names[string(match[1])] = true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the UI's sources: %w", err)
	}
	return slices.Sorted(maps.Keys(names)), nil
}
