package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// Authorities reads the certificate authorities in a PEM file. Clients read it anew for each connection, so that
// authorities can be exchanged without a restart.
func Authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read certificate authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read certificate authorities: no PEM certificate in %s", file)
	}
	return pool, nil
}

// Config returns a client's TLS configuration (1.2 or newer) that trusts the authorities in file and no others, and
// expects the server to be host.
func Config(file, host string) (*tls.Config, error) {
	pool, err := Authorities(file)
	if err != nil {
		return nil, err
	}
	return &tls.Config{RootCAs: pool, ServerName: host, MinVersion: tls.VersionTLS12}, nil
}
