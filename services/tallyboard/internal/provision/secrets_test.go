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
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
)

var folders = []string{"database", "nats", "provision", "task-service", "stats-service", "edge", "otel-collector", "jaeger", "grafana"}

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
		"database":       {"admin-password", "ca.crt", "tls.crt", "tls.key"},
		"nats":           {"ca.crt", "identities.conf", "routes.conf", "tls.crt", "tls.key"},
		"provision":      {"admin-password", "ca.crt", "migrate-password", "nats.seed", "stats-password", "task-password"},
		"task-service":   {"ca.crt", "database-password", "nats.seed"},
		"stats-service":  {"ca.crt", "database-password", "nats.seed"},
		"edge":           {"ca.crt", "tls.crt", "tls.key", "trace-sample-key"},
		"otel-collector": {"ca.crt", "tls.crt", "tls.key"},
		"jaeger":         {"tls.crt", "tls.key"},
		"grafana":        {"admin-password"},
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
		"database/tls.key", "nats/tls.key", "edge/tls.key", "otel-collector/tls.key", "jaeger/tls.key",
	} {
		different[all[name]] = true
	}
	if len(different) != 13 {
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
		"database/tls.key", "nats/tls.key", "otel-collector/tls.key", "jaeger/tls.key",
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
	verify := func(all map[string]string, server, host string, at time.Time) error {
		pair, err := tls.X509KeyPair([]byte(all[server+"/tls.crt"]), []byte(all[server+"/tls.key"]))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(all["task-service/ca.crt"]))
		_, err = pair.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: at})
		return err
	}
	for server, hosts := range map[string][]string{
		"edge": {"localhost", "127.0.0.1", "::1"}, "database": {"mysql", "postgres", "127.0.0.1"}, "nats": {"nats", "nats-2", "nats-3"},
		"otel-collector": {"otel-collector", "127.0.0.1"}, "jaeger": {"jaeger"},
	} {
		for _, host := range hosts {
			if err := verify(first, server, host, now); err != nil {
				t.Errorf("%s, %s: %v", server, host, err)
			}
		}
		if err := verify(first, server, "example.com", now); err == nil {
			t.Errorf("the certificate of %s serves a host that it was not made for", server)
		}
	}
	if err := verify(first, "nats", "mysql", now); err == nil {
		t.Error("NATS may pretend to be the database")
	}

	certificates := []string{"edge/tls.crt", "database/tls.crt", "nats/tls.crt", "otel-collector/tls.crt", "jaeger/tls.crt"}
	later := now.Add(serverLife - renewBefore - time.Hour)
	again := secretsOf(t, cfg, false, later)
	for _, name := range certificates {
		if again[name] != first[name] {
			t.Errorf("%s: renewed too early", name)
		}
	}
	later = now.Add(serverLife - renewBefore + time.Hour)
	renewed := secretsOf(t, cfg, false, later)
	for _, name := range certificates {
		if renewed[name] == first[name] {
			t.Errorf("%s: not renewed in time", name)
		}
	}
	if renewed["edge/ca.crt"] != first["edge/ca.crt"] {
		t.Error("renewed by another authority")
	}

	cfg.TLSHosts = []string{"board.example.com"}
	if err := verify(secretsOf(t, cfg, false, later), "edge", "board.example.com", later); err != nil {
		t.Errorf("after a change of hosts: %v", err)
	}

	later = now.Add(authorityLife - renewAuthorityBefore + time.Hour)
	followed := secretsOf(t, cfg, false, later)
	if followed["edge/ca.crt"] == first["edge/ca.crt"] {
		t.Error("the authority is not renewed while it outlives what it signs")
	}
	if err := verify(followed, "database", "mysql", later); err != nil {
		t.Errorf("after the authority's renewal: %v", err)
	}
	if !strings.HasSuffix(followed["task-service/ca.crt"], first["task-service/ca.crt"]) {
		t.Error("a server that still shows what the former authority signed is trusted no more")
	}
	later = now.Add(authorityLife + time.Hour)
	if strings.HasSuffix(secretsOf(t, cfg, false, later)["task-service/ca.crt"], first["task-service/ca.crt"]) {
		t.Error("an authority that has expired is handed out")
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
