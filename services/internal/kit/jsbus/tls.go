package jsbus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/nats-io/nats.go"

	"github.com/tallyboard/tallyboard/services/internal/kit/certs"
)

// caFileSetting is the variable that fills Config.CAFile.
const caFileSetting = "NATS_CA_FILE"

// secured returns the options for TLS: none without CAFile, when the scheme of URL and the server decide, and none within a
// process.
func (c Config) secured() ([]nats.Option, error) {
	if c.CAFile == "" || c.InProcess != nil {
		return nil, nil
	}
	authorities := func() (*x509.CertPool, error) { return certs.Authorities(c.CAFile) }
	if _, err := authorities(); err != nil {
		return nil, fmt.Errorf("%s: %w", caFileSetting, err)
	}
	return []nats.Option{
		nats.Secure(&tls.Config{MinVersion: tls.VersionTLS12}), // the server's name is the URL's
		func(o *nats.Options) error { // a renewed file counts from the next connection on
			o.RootCAsCB = authorities
			return nil
		},
	}, nil
}

// reason says in a sentence for operators why an attempt to connect failed, as far as err tells more than that NATS cannot
// be reached; otherwise it is empty. It holds no address and no secret.
func (c Config) reason(err error) string {
	if problem, is := certs.Problem(err); is {
		if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
			problem += " (see " + caFileSetting + ")"
		}
		return "the certificate of NATS " + problem
	}
	if alert, is := errors.AsType[*net.OpError](err); is && alert.Op == "remote error" { // so crypto/tls hands on what the peer says
		return "NATS refuses the TLS connection: " + alert.Err.Error()
	}
	switch {
	case errors.Is(err, nats.ErrSecureConnWanted):
		return "NATS offers no TLS, which " + caFileSetting + " demands"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked),
		errors.Is(err, nats.ErrAccountAuthExpired), errors.Is(err, nats.ErrPermissionViolation):
		return "NATS refuses this identity"
	}
	return ""
}
