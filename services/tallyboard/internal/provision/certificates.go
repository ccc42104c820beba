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
	"time"
)

// How long certificates live. That of the edge is renewed by the next run once it has less than renewBefore left;
// browsers refuse one that lives longer than 398 days.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	edgeLife      = 397 * 24 * time.Hour
	renewBefore   = 60 * 24 * time.Hour
	clockSkew     = time.Hour
)

// The names of the authority and the edge's certificate in the vault.
const (
	authorityName = "tls-authority.pem" // certificate and key
	edgeCertName  = "tls-edge.pem"      // certificate and key
)

// pair is a certificate with its key, both as PEM.
type pair struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	certPEM     []byte
	keyPEM      []byte
}

// certificates returns the local authority's certificate, and one for hosts that it has signed.
func certificates(v vault, hosts []string, now time.Time) (authority, edge pair, err error) {
	kept, err := v.keep(authorityName, func() ([]byte, error) { return issue(nil, authorityTemplate(now)) })
	if err != nil {
		return pair{}, pair{}, err
	}
	if authority, err = parsePair(kept); err != nil {
		return pair{}, pair{}, fmt.Errorf("read the certificate authority: %w", err)
	}
	fresh := func() ([]byte, error) { return issue(&authority, edgeTemplate(hosts, now)) }
	if kept, err = v.keep(edgeCertName, fresh); err != nil {
		return pair{}, pair{}, err
	}
	if edge, err = parsePair(kept); err == nil && fits(edge.certificate, authority.certificate, hosts, now) {
		return authority, edge, nil
	}
	if kept, err = fresh(); err != nil {
		return pair{}, pair{}, fmt.Errorf("renew the edge's certificate: %w", err)
	}
	if err := v.put(edgeCertName, kept); err != nil {
		return pair{}, pair{}, err
	}
	edge, err = parsePair(kept)
	return authority, edge, err
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

func edgeTemplate(hosts []string, now time.Time) *x509.Certificate {
	t := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Tallyboard"}, CommonName: hosts[0]},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(edgeLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
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
