package boot_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
)

type withSecrets struct {
	URL      string `env:"DATABASE_URL,required" secret:"true"`
	Password string `env:"DATABASE_PASSWORD" secret:"true"`
	Seed     string `env:"SEED" secret:"true"`
	SeedFile string `env:"SEED_FILE"` // a variable of its own, not the file of SEED
	Listen   string `env:"LISTEN" envDefault:":1"`
}

func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretsComeFromFiles(t *testing.T) {
	t.Parallel()
	cfg, err := boot.LoadConfig[withSecrets]([]string{
		"DATABASE_URL_FILE=" + secretFile(t, "mysql://task@db/tally\n"),
		"DATABASE_PASSWORD_FILE=" + secretFile(t, "with space \r\n"),
		"SEED_FILE=/nowhere", "LISTEN_FILE=/nowhere",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := withSecrets{URL: "mysql://task@db/tally", Password: "with space ", SeedFile: "/nowhere", Listen: ":1"}
	if cfg != want {
		t.Errorf("got %+v, want %+v", cfg, want)
	}
}

func TestSecretFilesThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ environ, want string }{
		"missing":   {"DATABASE_PASSWORD_FILE=/nowhere/at/all", "/nowhere/at/all"},
		"empty":     {"DATABASE_PASSWORD_FILE=" + secretFile(t, "\n"), "is empty"},
		"two lines": {"DATABASE_PASSWORD_FILE=" + secretFile(t, "hunter2\nhunter3\n"), "one line"},
		"too large": {"DATABASE_PASSWORD_FILE=" + secretFile(t, strings.Repeat("hunter2", 10_000)), "larger than"},
		"both":      {"DATABASE_URL_FILE=" + secretFile(t, "hunter2"), "DATABASE_URL and DATABASE_URL_FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := boot.LoadConfig[withSecrets]([]string{"DATABASE_URL=mysql://db/tally", c.environ})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}
