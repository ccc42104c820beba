package provision

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

// How long certificates live. A server's is renewed by the next run once it has less than renewBefore left; browsers
// refuse one that lives longer than 398 days. The authority is renewed while it still outlives what it signs, and all that
// it has signed with it.
const (
	authorityLife        = 10 * 365 * 24 * time.Hour
	serverLife           = 397 * 24 * time.Hour
	renewBefore          = 60 * 24 * time.Hour
	renewAuthorityBefore = serverLife + renewBefore
	clockSkew            = time.Hour
)

// The authority's certificate and key in the vault, and those of the one before it.
const (
	authorityName       = "tls-authority.pem"
	formerAuthorityName = "tls-authority-former.pem"
)

// tlsServer is a part of the deployment that shows a certificate to those who connect to it.
type tlsServer struct {
	name  string   // of the consumer it belongs to
	hosts []string // names and addresses it is reached by
	peers bool     // it shows the certificate to its equals as a client, too
}

// vaultName is the server's certificate and key in the vault.
func (s tlsServer) vaultName() string { return "tls-" + s.name + ".pem" }

// itself are the names by which a container reaches itself, for its health check.
var itself = []string{"localhost", "127.0.0.1"}

// servers are those of compose.yaml and its variants, under the names they have in its networks.
func servers(edgeHosts []string) []tlsServer {
	return []tlsServer{
		{name: "edge", hosts: edgeHosts},
		{name: "database", hosts: append([]string{"mysql", "postgres"}, itself...)},
		// One for all of a cluster: a client may learn a server's address from another, and knows it by that one's name.
		{name: "nats", hosts: append(slices.Clone(natsServers), itself...), peers: true},
		{name: "otel-collector", hosts: append([]string{"otel-collector"}, itself...)},
		{name: "jaeger", hosts: append([]string{"jaeger", "jaeger-receiver"}, itself...)},
	}
}

// pair is a certificate with its key, both as PEM.
type pair struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	certPEM     []byte
	keyPEM      []byte
}

// certificates returns the authorities that vouch for the servers, as PEM, and the servers' certificates by their names.
func certificates(v vault, servers []tlsServer, now time.Time) (trusted []byte, signed map[string]pair, err error) {
	authority, trusted, err := v.authority(now)
	if err != nil {
		return nil, nil, fmt.Errorf("the certificate authority: %w", err)
	}
	signed = map[string]pair{}
	for _, s := range servers {
		signed[s.name], err = v.certificate(s, authority, now)
		if err != nil {
			return nil, nil, fmt.Errorf("the certificate of %s: %w", s.name, err)
		}
	}
	return trusted, signed, nil
}

// authority returns the local authority, and whom to trust: it, and the one before it until that expires, for servers go on
// showing what that one signed until they are told otherwise.
func (v vault) authority(now time.Time) (authority pair, trusted []byte, err error) {
	fresh := func() ([]byte, error) { return issue(nil, authorityTemplate(now)) }
	kept, err := v.keep(authorityName, fresh)
	if err != nil {
		return pair{}, nil, err
	}
	if authority, err = parsePair(kept); err != nil {
		return pair{}, nil, err
	}
	if now.Add(renewAuthorityBefore).After(authority.certificate.NotAfter) {
		if err := v.put(formerAuthorityName, kept); err != nil {
			return pair{}, nil, err
		}
		if authority, err = v.renew(authorityName, fresh); err != nil {
			return pair{}, nil, err
		}
	}
	trusted = authority.certPEM
	if kept, err = v.read(formerAuthorityName); err != nil || len(kept) == 0 {
		return authority, trusted, err
	}
	former, err := parsePair(kept)
	if err == nil && now.Before(former.certificate.NotAfter) {
		trusted = slices.Concat(trusted, former.certPEM)
	}
	return authority, trusted, err
}

// certificate returns a server's certificate, anew if there is none that serves.
func (v vault) certificate(s tlsServer, authority pair, now time.Time) (pair, error) {
	fresh := func() ([]byte, error) { return issue(&authority, serverTemplate(s, now)) }
	kept, err := v.keep(s.vaultName(), fresh)
	if err != nil {
		return pair{}, err
	}
	if p, err := parsePair(kept); err == nil && fits(p.certificate, authority.certificate, s.hosts, now) {
		return p, nil
	}
	return v.renew(s.vaultName(), fresh)
}

// renew replaces a certificate.
func (v vault) renew(name string, fresh func() ([]byte, error)) (pair, error) {
	content, err := fresh()
	if err != nil {
		return pair{}, fmt.Errorf("renew: %w", err)
	}
	if err := v.put(name, content); err != nil {
		return pair{}, err
	}
	return parsePair(content)
}

// fits reports whether a certificate still serves for hosts.
func fits(c, authority *x509.Certificate, hosts []string, now time.Time) bool {
	if now.Add(renewBefore).After(c.NotAfter) || c.CheckSignatureFrom(authority) != nil {
		return false
	}
	for _, host := range hosts {
		if c.VerifyHostname(host) != nil {
			return false
		}
	}
	return true
}

func authorityTemplate(now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Tallyboard"}, CommonName: "Tallyboard local authority " + now.Format(time.DateOnly)},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func serverTemplate(s tlsServer, now time.Time) *x509.Certificate {
	t := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Tallyboard"}, CommonName: s.hosts[0]},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if s.peers {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	for _, host := range s.hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return t
}

// issue makes a key and a certificate for it, signed by the authority; nil means by itself.
func issue(authority *pair, template *x509.Certificate) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	parent, signer := template, key
	if authority != nil {
		parent, signer = authority.certificate, authority.key
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...), nil
}

func parsePair(content []byte) (p pair, err error) {
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			p.certPEM = pem.EncodeToMemory(block)
			if p.certificate, err = x509.ParseCertificate(block.Bytes); err != nil {
				return pair{}, fmt.Errorf("parse certificate: %w", err)
			}
		case "PRIVATE KEY":
			p.keyPEM = pem.EncodeToMemory(block)
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return pair{}, fmt.Errorf("parse key: %w", err)
			}
			p.key, _ = key.(*ecdsa.PrivateKey) // of another kind: reported below
		}
	}
	if p.certificate == nil || p.key == nil {
		return pair{}, errors.New("a certificate and an ECDSA key are expected")
	}
	return p, nil
}
