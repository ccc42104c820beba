package provision

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// passwordBytes is the entropy of a password. Its text has only characters that need no quoting in SQL, URLs and shells.
const passwordBytes = 32

// vault is the folder in which secrets are kept for good. Only the job that makes them sees it.
type vault struct{ dir string }

func openVault(dir string) (vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return vault{}, fmt.Errorf("open the vault: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a folder needs the x bit
		return vault{}, fmt.Errorf("close the vault to others: %w", err)
	}
	return vault{dir}, nil
}

// keep returns the secret of that name, made by fresh if there is none yet.
func (v vault) keep(name string, fresh func() ([]byte, error)) ([]byte, error) {
	content, err := v.read(name)
	if err != nil || len(content) > 0 {
		return content, err
	}
	if content, err = fresh(); err != nil {
		return nil, fmt.Errorf("make the secret %s: %w", name, err)
	}
	return content, v.put(name, content)
}

// read returns the secret of that name, or nothing if there is none.
func (v vault) read(name string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(v.dir, name)) //nolint:gosec // the vault's own folder
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the secret %s: %w", name, err)
	}
	return content, nil
}

// put replaces a secret.
func (v vault) put(name string, content []byte) error {
	return writeFile(filepath.Join(v.dir, name), content, owner{os.Getuid(), os.Getgid()})
}

// forget removes a secret, so that the next run makes another.
func (v vault) forget(name string) error {
	if err := os.Remove(filepath.Join(v.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the secret %s: %w", name, err)
	}
	return nil
}

// password makes a random password.
func password() ([]byte, error) {
	raw := make([]byte, passwordBytes)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	return []byte(base64.RawURLEncoding.EncodeToString(raw)), nil
}

// owner is the user and group that may read a file.
type owner struct{ uid, gid int }

// writeFile replaces a file at once, readable by its owner only. The folder stays this process's own, so that replacing
// needs no right but that to give files away (CAP_CHOWN).
func writeFile(path string, content []byte, o owner) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", filepath.Base(path), errors.Join(err, os.Remove(f.Name())))
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o400), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Chown(f.Name(), o.uid, o.gid); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
