package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
)

// Engine is a kind of database server.
type Engine string

// The engines a drill can run on.
const (
	MySQL    Engine = "mysql"
	Postgres Engine = "postgres"
)

// binary is a program and how it is called: what was unpacked runs with the loader and libraries it came with.
type binary struct {
	path   string   // of the server itself
	prefix []string // loader and its options
}

// command returns what to execute.
func (b binary) command(args ...string) (path string, all []string) {
	if len(b.prefix) == 0 {
		return b.path, args
	}
	return b.prefix[0], slices.Concat(b.prefix[1:], []string{b.path}, args)
}

// find looks for the engine's server where the test servers' script (testkit/servers.sh) does: on this machine, then among
// the packages it has unpacked. If there is none, the script is asked to get one.
func find(ctx context.Context, e Engine, script string) (binary, error) {
	if b, ok := look(e); ok {
		return b, nil
	}
	for _, command := range []string{"start", "stop"} { // starting unpacks it; the drill runs one of its own
		cmd := exec.CommandContext(ctx, "bash", script, command, string(e)) //nolint:gosec // ours
		cmd.Env = append(os.Environ(), "SERVERS_FROM=local packages")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return binary{}, fmt.Errorf("get a %s server by %s: %w", e, script, err)
		}
	}
	if b, ok := look(e); ok {
		return b, nil
	}
	return binary{}, fmt.Errorf("no %s server was found on this machine", e)
}

func look(e Engine) (binary, bool) {
	program, homes := "mysqld", []string{"/usr/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/opt/homebrew/opt/mysql*/bin"}
	if e == Postgres {
		program, homes = "postgres", []string{"/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin"}
	}
	if path, err := exec.LookPath(program); err == nil {
		homes = append([]string{filepath.Dir(path)}, homes...)
	}
	for _, home := range homes {
		found, err := filepath.Glob(filepath.Join(home, program))
		if err != nil || len(found) == 0 {
			continue
		}
		path, err := filepath.EvalSymlinks(found[len(found)-1]) // the newest version
		if err == nil && (e != Postgres || exists(filepath.Join(filepath.Dir(path), "initdb"))) {
			return binary{path: path}, true
		}
	}
	return unpacked(e)
}

// unpacked looks among the packages of the test servers' script.
func unpacked(e Engine) (binary, bool) {
	for _, cache := range caches() {
		if e == Postgres {
			found, err := filepath.Glob(filepath.Join(cache, "packages", "postgres-npm-*", "package", "native", "bin", "postgres"))
			if err == nil && len(found) > 0 {
				return binary{path: found[len(found)-1]}, true
			}
			continue
		}
		roots, err := filepath.Glob(filepath.Join(cache, "packages", "mysql-*", "root"))
		if err != nil {
			continue
		}
		for _, root := range roots {
			if b, ok := withLoader(root, filepath.Join(root, "usr", "sbin", "mysqld")); ok {
				return b, true
			}
		}
	}
	return binary{}, false
}

func caches() []string {
	if dir := os.Getenv("TALLYBOARD_CACHE"); dir != "" {
		return []string{dir}
	}
	out := []string{"/var/cache/tallyboard"}
	if dir, err := os.UserCacheDir(); err == nil {
		out = append(out, filepath.Join(dir, "tallyboard"))
	}
	return out
}

// withLoader finds the C library a Debian package was unpacked with.
func withLoader(root, path string) (binary, bool) {
	if !exists(path) {
		return binary{}, false
	}
	var loaders, libraries []string
	for _, dir := range []string{"lib", "lib64", "usr/lib", "usr/lib64"} {
		for _, pattern := range []string{"ld-linux*.so.*", "*-linux-gnu*/ld-linux*.so.*"} {
			found, err := filepath.Glob(filepath.Join(root, dir, pattern))
			if err == nil {
				loaders = append(loaders, found...)
			}
		}
		found, err := filepath.Glob(filepath.Join(root, dir, "*-linux-gnu*"))
		if err == nil {
			libraries = append(libraries, found...)
		}
	}
	if len(loaders) == 0 {
		return binary{}, false
	}
	return binary{path: path, prefix: []string{loaders[len(loaders)-1], "--library-path", strings.Join(libraries, ":")}}, true
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// NewFolder makes an empty folder to which database servers get, also those of another user: neither t.TempDir nor
// os.MkdirTemp alone let them in.
func NewFolder() (string, error) {
	dir, err := os.MkdirTemp("", "tallyboard-drill-")
	if err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // see above
		return "", errors.Join(fmt.Errorf("open the folder: %w", err), os.RemoveAll(dir))
	}
	return dir, nil
}

// Own gives a file or folder to the user that database servers run as.
func Own(path string) error {
	who, err := serverUser()
	if err != nil {
		return err
	}
	return own(path, who)
}

func own(path string, who *proc.User) error {
	if who == nil {
		return nil
	}
	return os.Chown(path, int(who.UID), int(who.GID))
}

// serverUser returns whom database servers run as: nobody instead of root, which they refuse.
func serverUser() (*proc.User, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // nil means ourselves
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, fmt.Errorf("started as root, so database servers must run as nobody: %w", err)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user id of nobody: %w", err)
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("group id of nobody: %w", err)
	}
	return &proc.User{UID: uint32(uid), GID: uint32(gid)}, nil
}
