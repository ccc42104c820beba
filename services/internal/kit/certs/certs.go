// Package certs puts into words what is wrong with a server's certificate, so that whoever reads a log line or /health
// knows which one to replace, and until when it was valid. The words hold no address and no secret.
package certs

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Problem returns what is wrong with the certificate a server has shown, as the end of a sentence that begins with whose
// it is ("the database's certificate …"); false if err is about something else.
func Problem(err error) (string, bool) {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if e.Reason != x509.Expired || e.Cert == nil {
			return "is not valid", true
		}
		if now := time.Now(); now.Before(e.Cert.NotBefore) {
			return fmt.Sprintf("(%s) is not valid before %s", name(e.Cert), e.Cert.NotBefore.UTC().Format(time.RFC3339)), true
		}
		return fmt.Sprintf("(%s) expired at %s", name(e.Cert), e.Cert.NotAfter.UTC().Format(time.RFC3339)), true
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("(%s) is for another host name than the one it is reached by", name(e.Certificate)), true
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Sprintf("(%s) is signed by an authority that is not trusted here", name(e.Cert)), true
	}
	return "", false
}

// name tells certificates of one server from each other.
func name(c *x509.Certificate) string {
	switch {
	case c == nil:
		return "without a name"
	case c.Subject.CommonName != "":
		return "CN=" + c.Subject.CommonName
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	}
	return "serial " + c.SerialNumber.Text(16)
}
