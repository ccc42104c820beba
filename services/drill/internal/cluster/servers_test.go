package cluster

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestUnpackedServersRunWithTheirOwnLibraries lays out a server as the test servers' script unpacks it from Debian.
func TestUnpackedServersRunWithTheirOwnLibraries(t *testing.T) {
	t.Setenv("TALLYBOARD_CACHE", t.TempDir())
	root := filepath.Join(os.Getenv("TALLYBOARD_CACHE"), "packages", "mysql-sid", "root")
	server := filepath.Join(root, "usr", "sbin", "mysqld")
	libraries := filepath.Join(root, "usr", "lib", "x86_64-linux-gnu")
	loader := filepath.Join(libraries, "ld-linux-x86-64.so.2")
	if _, ok := unpacked(MySQL); ok {
		t.Fatal("found where there is none")
	}
	for _, path := range []string{server, loader} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b, ok := unpacked(MySQL)
	if !ok || b.path != server {
		t.Fatalf("%+v, %v", b, ok)
	}
	path, args := b.command("--port=1")
	if want := []string{"--library-path", libraries, server, "--port=1"}; path != loader || !slices.Equal(args, want) {
		t.Errorf("%s %v, want %s %v", path, args, loader, want)
	}
}

func TestFoldersAreOpenToDatabaseServers(t *testing.T) {
	t.Parallel()
	dir, err := NewFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if is, err := os.Stat(dir); err != nil || is.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", is, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Own(file); err != nil {
		t.Error(err)
	}
}
