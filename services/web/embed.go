// Package web carries the built browser UI so that task-service can serve it.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist returns the built UI: index.html, hashed assets below assets/ and, beside each compressible file,
// precompressed copies with the suffixes .br and .gz. In a tree where the UI was never built it is empty but for .gitkeep.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the path is a constant that go:embed has checked
	}
	return sub
}
