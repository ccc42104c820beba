// Package sbom lists what a program is made of, as a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json/): the
// Go modules recorded in the binary, the Go release, and the npm packages bundled into an embedded UI. The same input
// gives the same bytes: the document has no time and no serial number.
package sbom

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
)

// Input says what to describe.
type Input struct {
	// Name and Version are those of the program.
	Name, Version string
	// Binary is the path of the program, built by Go with module information.
	Binary string
	// UI is the folder of the embedded UI, with package-lock.json and src/; empty means none.
	UI string
}

type document struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref,omitempty"` //nolint:tagliatelle // the format's name
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Purl       string     `json:"purl,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type license struct {
	Expression string `json:"expression"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Write writes the document.
func Write(w io.Writer, in Input) error {
	if in.Name == "" || in.Binary == "" {
		return errors.New("a name and a binary are needed")
	}
	info, err := buildinfo.ReadFile(in.Binary)
	if err != nil {
		return fmt.Errorf("read build information: %w", err)
	}
	components := goComponents(info, in.Version)
	if in.UI != "" {
		bundled, err := npmComponents(in.UI)
		if err != nil {
			return err
		}
		components = append(components, bundled...)
	}
	slices.SortFunc(components, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(document{
		Format: "CycloneDX", SpecVersion: "1.6", Version: 1, Components: components,
		Metadata: metadata{component{
			Type: "application", Ref: in.Name, Name: in.Name, Version: in.Version,
			Licenses: []license{{"MIT"}}, Properties: platform(info),
		}},
	})
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// platform tells for which system the program was built.
func platform(info *debug.BuildInfo) []property {
	var properties []property
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "-tags":
			properties = append(properties, property{"go:build:" + strings.TrimPrefix(s.Key, "-"), s.Value})
		}
	}
	return properties
}

// goComponents lists the standard library and the modules. Modules of this repository have the program's version.
func goComponents(info *debug.BuildInfo, own string) []component {
	release := strings.TrimPrefix(info.GoVersion, "go")
	components := []component{{
		Type: "library", Ref: "pkg:golang/stdlib@" + release, Purl: "pkg:golang/stdlib@" + release,
		Name: "stdlib", Version: release, Licenses: []license{{"BSD-3-Clause"}},
	}}
	for _, dep := range info.Deps {
		module := dep
		if dep.Replace != nil {
			module = dep.Replace
		}
		c := component{Type: "library", Name: dep.Path, Version: module.Version}
		if module.Version == "" || module.Version == "(devel)" || strings.HasPrefix(module.Path, ".") {
			c.Version, c.Ref, c.Licenses = own, dep.Path, []license{{"MIT"}}
		} else {
			c.Purl = "pkg:golang/" + module.Path + "@" + url.QueryEscape(module.Version)
			c.Ref = c.Purl
		}
		if module.Sum != "" {
			c.Properties = []property{{"go:module:sum", module.Sum}}
		}
		components = append(components, c)
	}
	return components
}

// npmPurl returns the package URL of an npm package, whose scope is written with an escaped @.
func npmPurl(name, version string) string {
	if scope, rest, scoped := strings.Cut(name, "/"); scoped {
		name = path.Join(url.QueryEscape(scope), rest)
	}
	return "pkg:npm/" + name + "@" + url.QueryEscape(version)
}
