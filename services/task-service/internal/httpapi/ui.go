package httpapi

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// assetPrefix is where the build puts files whose names hold a hash of their content.
const assetPrefix = "assets/"

// indexFile is the page that starts the UI, at every address that is not a file.
const indexFile = "index.html"

//go:embed unbuilt.html
var unbuiltPage []byte

// types of files whose media type must not depend on what the machine has configured.
var types = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8", ".json": "application/json", ".map": "application/json",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webp": "image/webp", ".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json", ".wasm": "application/wasm",
}

// mountUI answers everything that no route has: with the files of the UI, and with its start page for addresses the UI
// itself understands.
func (s *server) mountUI(app *fiber.App) error {
	files, err := loadUI(s.UI)
	if err != nil {
		return err
	}
	index, built := files[indexFile]
	if !built {
		index = newStaticFile(types[".html"], unbuiltPage)
	}
	app.Use(func(c *fiber.Ctx) error {
		name := strings.TrimPrefix(c.Path(), "/")
		if method := c.Method(); method != fiber.MethodGet && method != fiber.MethodHead || name == "api" || strings.HasPrefix(name, "api/") {
			return c.Next() // Fiber's own 404 or 405
		}
		if code, ok := strings.CutPrefix(name, "problems/"); ok {
			return explainProblem(c, code)
		}
		if f, ok := files[name]; ok {
			return f.send(c)
		}
		if strings.HasPrefix(name, assetPrefix) || !strings.Contains(c.Get(fiber.HeaderAccept), "html") {
			return fiber.ErrNotFound
		}
		if !built {
			c.Status(fiber.StatusServiceUnavailable)
		}
		return index.send(c)
	})
	return nil
}

// loadUI reads all files of the UI with their precompressed copies.
func loadUI(ui fs.FS) (map[string]staticFile, error) {
	files := map[string]staticFile{}
	if ui == nil {
		return files, nil
	}
	err := fs.WalkDir(ui, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") || isCompressed(name) {
			return err
		}
		body, err := fs.ReadFile(ui, name)
		if err != nil {
			return err
		}
		f := newStaticFile(typeOf(name), body)
		if strings.HasPrefix(name, assetPrefix) {
			f.cache = cacheImmutable
		}
		if path.Ext(name) == ".html" {
			f.policy = policyPage
		}
		if f.brotli, err = optionalFile(ui, name+".br"); err != nil {
			return err
		}
		if f.gzip, err = optionalFile(ui, name+".gz"); err != nil {
			return err
		}
		files[name] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the files of the UI: %w", err)
	}
	return files, nil
}

func isCompressed(name string) bool {
	return strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz")
}

// optionalFile returns nil for a file that is not there.
func optionalFile(files fs.FS, name string) ([]byte, error) {
	body, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return body, err
}

func typeOf(name string) string {
	ext := path.Ext(name)
	if known, ok := types[ext]; ok {
		return known
	}
	if known := mime.TypeByExtension(ext); known != "" {
		return known
	}
	return fiber.MIMEOctetStream
}
