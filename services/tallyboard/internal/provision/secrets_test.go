package provision

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
)

var folders = []string{"database", "nats", "provision", "task-service", "stats-service", "edge", "grafana"}

// setup returns a configuration with the folders that a compose stack mounts.
func setup(t *testing.T) SecretsConfig {
	t.Helper()
	cfg := SecretsConfig{Dir: t.TempDir(), DataDir: t.TempDir(), TLSHosts: []string{"localhost", "127.0.0.1", "::1"}}
	for _, name := range folders {
		if err := os.Mkdir(filepath.Join(cfg.Dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// files reads everything that was handed out, by path below the folder.
func files(t *testing.T, cfg SecretsConfig) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(cfg.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm() != 0o400 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(cfg.Dir, path)
		all[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func secretsOf(t *testing.T, cfg SecretsConfig, rotate bool, now time.Time) map[string]string {
	t.Helper()
	if err := Secrets(cfg, rotate, now, io.Discard); err != nil {
		t.Fatal(err)
	}
	return files(t, cfg)
}

func TestEachConsumerGetsItsOwnSecretsAndNoMore(t *testing.T) {
	t.Parallel()
	all := secretsOf(t, setup(t), false, time.Now())
	handed := map[string][]string{}
	for name := range all {
		handed[filepath.Dir(name)] = append(handed[filepath.Dir(name)], filepath.Base(name))
	}
	for consumer, want := range map[string][]string{
		"database":      {"admin-password"},
		"nats":          {"identities.conf", "routes.conf"},
		"provision":     {"admin-password", "migrate-password", "nats.seed", "stats-password", "task-password"},
		"task-service":  {"database-password", "nats.seed"},
		"stats-service": {"database-password", "nats.seed"},
		"edge":          {"ca.crt", "tls.crt", "tls.key", "trace-sample-key"},
		"grafana":       {"admin-password"},
	} {
		if got := slices.Sorted(slices.Values(handed[consumer])); !slices.Equal(got, want) {
			t.Errorf("%s got %v, want %v", consumer, got, want)
		}
	}
	for one, other := range map[string]string{
		"database/admin-password": "provision/admin-password", "task-service/database-password": "provision/task-password",
		"stats-service/database-password": "provision/stats-password",
	} {
		if all[one] == "" || all[one] != all[other] {
			t.Errorf("%s and %s differ", one, other)
		}
	}
	different := map[string]bool{}
	for _, name := range []string{
		"database/admin-password", "provision/migrate-password", "provision/task-password", "provision/stats-password", "grafana/admin-password",
		"provision/nats.seed", "task-service/nats.seed", "stats-service/nats.seed",
	} {
		different[all[name]] = true
	}
	if len(different) != 8 {
		t.Error("two secrets are the same")
	}
}

func TestSecretsAreKeptUntilTheyAreRotated(t *testing.T) {
	t.Parallel()
	cfg, now := setup(t), time.Now()
	first := secretsOf(t, cfg, false, now)
	stale := filepath.Join(cfg.Dir, "task-service", "old-secret")
	if err := os.WriteFile(stale, []byte("x"), 0o400); err != nil {
		t.Fatal(err)
	}
	if second := secretsOf(t, cfg, false, now); !maps.Equal(first, second) {
		t.Error("a second run changed secrets, or left what is no longer handed out")
	}
	third := secretsOf(t, cfg, true, now)
	for _, kept := range []string{"database/admin-password", "grafana/admin-password", "edge/ca.crt"} {
		if third[kept] != first[kept] {
			t.Errorf("%s was rotated; what holds it would not know", kept)
		}
	}
	for _, rotated := range []string{
		"task-service/database-password", "stats-service/database-password", "provision/migrate-password", "provision/nats.seed",
		"task-service/nats.seed", "stats-service/nats.seed", "nats/identities.conf", "nats/routes.conf", "edge/tls.key", "edge/trace-sample-key",
	} {
		if third[rotated] == first[rotated] {
			t.Errorf("%s was not rotated", rotated)
		}
	}
}

func TestCertificatesServeTheirHostsAndAreRenewedInTime(t *testing.T) {
	t.Parallel()
	cfg, now := setup(t), time.Now()
	first := secretsOf(t, cfg, false, now)
	verify := func(all map[string]string, host string, at time.Time) error {
		pair, err := tls.X509KeyPair([]byte(all["edge/tls.crt"]), []byte(all["edge/tls.key"]))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(all["edge/ca.crt"]))
		_, err = pair.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: at})
		return err
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		if err := verify(first, host, now); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := verify(first, "example.com", now); err == nil {
		t.Error("the certificate serves a host that it was not made for")
	}

	later := now.Add(edgeLife - renewBefore - time.Hour)
	if again := secretsOf(t, cfg, false, later); again["edge/tls.crt"] != first["edge/tls.crt"] {
		t.Error("renewed too early")
	}
	later = now.Add(edgeLife - renewBefore + time.Hour)
	renewed := secretsOf(t, cfg, false, later)
	if renewed["edge/tls.crt"] == first["edge/tls.crt"] || renewed["edge/ca.crt"] != first["edge/ca.crt"] {
		t.Error("not renewed in time, or by another authority")
	}

	cfg.TLSHosts = []string{"board.example.com"}
	if err := verify(secretsOf(t, cfg, false, later), "board.example.com", later); err != nil {
		t.Errorf("after a change of hosts: %v", err)
	}
}

func TestSecretsNeedTheirFolders(t *testing.T) {
	t.Parallel()
	cfg := setup(t)
	if err := os.Remove(filepath.Join(cfg.Dir, "grafana")); err != nil {
		t.Fatal(err)
	}
	if err := Secrets(cfg, false, time.Now(), io.Discard); err == nil {
		t.Error("no error for a volume that is not mounted")
	}
	for _, hosts := range []string{"a b", "https://example.com", "localhost,,x"} {
		if _, err := boot.LoadConfig[SecretsConfig]([]string{"TLS_HOSTS=" + hosts}); err == nil {
			t.Errorf("TLS_HOSTS=%s: no error", hosts)
		}
	}
}
