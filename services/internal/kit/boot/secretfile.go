package boot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// secretFileSuffix makes NAME_FILE of a variable NAME.
const secretFileSuffix = "_FILE"

// maxSecretSize is the size of a secret's file at most, in bytes: a wrong path must not fill the memory.
const maxSecretSize = 64 << 10

// readSecretFiles sets each secret variable whose NAME_FILE names a file to what that file holds, without the line break
// at its end. So passwords come as mounted files, and show neither in the container's settings nor in a child's
// environment. Variables that are not secret are not read from files, and a configuration that has a NAME_FILE of its own
// keeps it.
func readSecretFiles(values map[string]string, variables []Variable) error {
	own := make(map[string]bool, len(variables))
	for _, v := range variables {
		own[v.Name] = true
	}
	var errs []error
	for _, v := range variables {
		source := v.Name + secretFileSuffix
		path := values[source]
		if !v.Secret || own[source] || path == "" {
			continue
		}
		if values[v.Name] != "" {
			errs = append(errs, fmt.Errorf("configuration: %s and %s must not both be set", v.Name, source))
			continue
		}
		secret, err := readSecret(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("configuration: %s: %w", source, err))
			continue
		}
		values[v.Name] = secret
	}
	return errors.Join(errs...)
}

func readSecret(path string) (secret string, err error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", err //nolint:wrapcheck // names the operation and the file already
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	content, err := io.ReadAll(io.LimitReader(f, maxSecretSize+1))
	if err != nil {
		return "", fmt.Errorf("read: %w", err)
	}
	secret = strings.TrimRight(string(content), "\r\n")
	switch {
	case len(content) > maxSecretSize:
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxSecretSize)
	case secret == "":
		return "", fmt.Errorf("%s is empty", path)
	case strings.ContainsAny(secret, "\r\n\x00"):
		return "", fmt.Errorf("%s must hold one line of text", path)
	}
	return secret, nil
}
