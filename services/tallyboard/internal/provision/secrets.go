package provision

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nkeys"
)

// SecretsConfig says where secrets are made. Below Dir are "vault", where they are kept, and a folder per consumer.
type SecretsConfig struct {
	// Dir holds the vault and the consumers' folders, each a volume of its own in a compose stack.
	Dir string `env:"SECRETS_DIR" envDefault:"/secrets"`
	// DataDir holds folders that are given to the user who runs the server of that name, such as nats and nats-2.
	DataDir string `env:"SECRETS_DATA_DIR" envDefault:"/volumes"`
	// TLSHosts are the names and addresses for which the edge's certificate is made.
	TLSHosts []string `env:"TLS_HOSTS" envSeparator:"," envDefault:"localhost,127.0.0.1,::1"`
	// Chown gives files to their consumers' users. It needs root, and is off in tests.
	Chown bool `env:"SECRETS_CHOWN" envDefault:"true"`
}

// Validate implements what boot.LoadConfig asks for.
func (c SecretsConfig) Validate() error {
	for _, host := range c.TLSHosts {
		if strings.TrimSpace(host) == "" || strings.ContainsAny(host, " /:@") && !strings.Contains(host, "::") {
			return fmt.Errorf("TLS_HOSTS: %q is neither a name nor an address", host)
		}
	}
	return nil
}

// The users that the containers run as; compose.yaml names the same.
var (
	databaseUser = owner{999, 999} // of the images mysql and postgres
	natsUser     = owner{10222, 10222}
	serviceUser  = owner{65532, 65532} // nonroot of distroless
	edgeUser     = owner{101, 101}     // nginx
	grafanaUser  = owner{472, 0}
	signalsUser  = owner{10001, 10001} // collector and Jaeger
)

// rotatable are the secrets that a run may replace at any time: the next Apply and a restart of their consumers bring
// the new ones into force. So are the certificates of servers. The database administrator's password is not among them,
// for the database keeps it.
var rotatable = []string{
	"migrate-password", "task-password", "stats-password", "nats-admin.seed", "nats-task.seed", "nats-stats.seed",
	"nats-cluster-password", sampleKeyName,
}

// sampleKeyName is the secret by which the edge chooses the traces to record: of no use to whoever wants to be recorded.
const sampleKeyName = "trace-sample-key"

// consumer is one container's share of the secrets.
type consumer struct {
	name  string // of its folder
	user  owner
	files map[string][]byte
}

// Secrets makes what is missing, and writes each consumer's share anew. With rotate, all that can be replaced is.
func Secrets(cfg SecretsConfig, rotate bool, now time.Time, out io.Writer) error {
	v, err := openVault(filepath.Join(cfg.Dir, "vault"))
	if err != nil {
		return err
	}
	if rotate {
		names := slices.Clone(rotatable)
		for _, s := range servers(cfg.TLSHosts) {
			names = append(names, s.vaultName())
		}
		for _, name := range names {
			if err := v.forget(name); err != nil {
				return err
			}
		}
	}
	consumers, err := shares(v, cfg.TLSHosts, now)
	if err != nil {
		return err
	}
	for _, c := range consumers {
		if err := cfg.deliver(c); err != nil {
			return fmt.Errorf("secrets of %s: %w", c.name, err)
		}
	}
	if err := cfg.ownData("nats", natsUser); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "secrets are in place for %d consumers\n", len(consumers))
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// shares returns every consumer with the files it needs and no others.
func shares(v vault, hosts []string, now time.Time) ([]consumer, error) {
	passwords := map[string][]byte{}
	for _, name := range []string{"admin", "migrate", "task", "stats", "nats-cluster", "grafana"} {
		var err error
		if passwords[name], err = v.keep(name+"-password", password); err != nil {
			return nil, err
		}
	}
	seeds, identities := map[string][]byte{}, map[string]string{}
	for _, name := range []string{"admin", "task", "stats"} {
		var err error
		if seeds[name], identities[name], err = identity(v, name); err != nil {
			return nil, err
		}
	}
	trusted, signed, err := certificates(v, servers(hosts), now)
	if err != nil {
		return nil, err
	}
	sampleKey, err := v.keep(sampleKeyName, password)
	if err != nil {
		return nil, err
	}
	ca := map[string][]byte{"ca.crt": trusted}
	tls := func(server string) map[string][]byte {
		return map[string][]byte{"tls.crt": signed[server].certPEM, "tls.key": signed[server].keyPEM}
	}
	return []consumer{
		{"database", databaseUser, joined(tls("database"), ca, map[string][]byte{"admin-password": passwords["admin"]})},
		{"nats", natsUser, joined(tls("nats"), ca, natsFiles(identities, string(passwords["nats-cluster"])))},
		{"provision", serviceUser, joined(ca, map[string][]byte{
			"admin-password": passwords["admin"], "migrate-password": passwords["migrate"],
			"task-password": passwords["task"], "stats-password": passwords["stats"], "nats.seed": seeds["admin"],
		})},
		{"task-service", serviceUser, joined(ca, map[string][]byte{"database-password": passwords["task"], "nats.seed": seeds["task"]})},
		{"stats-service", serviceUser, joined(ca, map[string][]byte{"database-password": passwords["stats"], "nats.seed": seeds["stats"]})},
		{"edge", edgeUser, joined(tls("edge"), ca, map[string][]byte{sampleKeyName: sampleKey})},
		{"otel-collector", signalsUser, joined(tls("otel-collector"), ca)},
		{"jaeger", signalsUser, tls("jaeger")},
		{"grafana", grafanaUser, map[string][]byte{"admin-password": passwords["grafana"]}},
	}, nil
}

// joined returns the files of all groups.
func joined(groups ...map[string][]byte) map[string][]byte {
	files := map[string][]byte{}
	for _, group := range groups {
		maps.Copy(files, group)
	}
	return files
}

// natsServers are the names of the servers of a cluster; a server on its own has the first.
var natsServers = []string{"nats", "nats-2", "nats-3"}

// natsFiles returns what the configuration in deploy/nats includes. They are two files, because a server takes a value that
// its configuration does not use for a mistake.
func natsFiles(identities map[string]string, cluster string) map[string][]byte {
	routes := make([]string, len(natsServers))
	for i, server := range natsServers {
		routes[i] = fmt.Sprintf("%q", "nats-route://route:"+cluster+"@"+server+":6222")
	}
	return map[string][]byte{
		"identities.conf": fmt.Appendf(nil, "ADMIN_NKEY: %s\nTASK_NKEY: %s\nSTATS_NKEY: %s\n",
			identities["admin"], identities["task"], identities["stats"]),
		"routes.conf": fmt.Appendf(nil, "CLUSTER_PASSWORD: %q\nCLUSTER_ROUTES: [%s]\n", cluster, strings.Join(routes, ", ")),
	}
}

// identity returns a NATS user's seed, and the public key by which the server knows it.
func identity(v vault, name string) (seed []byte, public string, err error) {
	seed, err = v.keep("nats-"+name+".seed", func() ([]byte, error) {
		user, err := nkeys.CreateUser()
		if err != nil {
			return nil, fmt.Errorf("make a NATS identity: %w", err)
		}
		return user.Seed() //nolint:wrapcheck // the caller names the secret
	})
	if err != nil {
		return nil, "", err
	}
	user, err := nkeys.FromSeed(seed)
	if err != nil {
		return nil, "", fmt.Errorf("read the NATS identity of %s: %w", name, err)
	}
	if public, err = user.PublicKey(); err != nil {
		return nil, "", fmt.Errorf("public key of %s: %w", name, err)
	}
	return seed, public, nil
}

// deliver writes a consumer's files and removes what is no longer its share.
func (c SecretsConfig) deliver(to consumer) error {
	dir := filepath.Join(c.Dir, to.name)
	present, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("its folder must be there: %w", err)
	}
	if !c.Chown {
		to.user = owner{os.Getuid(), os.Getgid()}
	}
	for name, content := range to.files {
		if err := writeFile(filepath.Join(dir, name), content, to.user); err != nil {
			return err
		}
	}
	var errs []error
	for _, entry := range present {
		if _, wanted := to.files[entry.Name()]; !wanted && !entry.IsDir() {
			errs = append(errs, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	return errors.Join(errs...)
}

// ownData gives the data folders of a server to the user it runs as: a fresh volume belongs to root.
func (c SecretsConfig) ownData(server string, user owner) error {
	dirs, err := filepath.Glob(filepath.Join(c.DataDir, server+"*"))
	if err != nil || !c.Chown {
		return err //nolint:wrapcheck // a bad pattern only
	}
	for _, dir := range dirs {
		if err := os.Chown(dir, user.uid, user.gid); err != nil {
			return fmt.Errorf("give %s to its server: %w", dir, err)
		}
	}
	return nil
}
