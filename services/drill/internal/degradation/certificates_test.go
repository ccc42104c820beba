package degradation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
)

// authority signs certificates of servers.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string // of its certificate
}

// Names of servers in certificates.
const (
	thisMachine = "localhost"
	elsewhere   = "elsewhere.example"
)

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(folder(t), "ca.crt")}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	der := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of a test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, &a.key.PublicKey)
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	own(t, a.file) // MySQL reads it, too
	return a
}

// sign signs a certificate; without a parent it is its own.
func (a *authority) sign(t *testing.T, template, parent *x509.Certificate, public *ecdsa.PublicKey) []byte {
	t.Helper()
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// issue returns the certificate of a server with a name, valid until then, and its key, both as PEM.
func (a *authority) issue(t *testing.T, name string, until time.Time) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "server " + name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}, a.cert, &private.PublicKey)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// expiry returns a moment as certificates know it, and how log and health name it once it is over.
func expiry(at time.Time) (rounded time.Time, words string) {
	at = at.Truncate(time.Second)
	return at, "(CN=server " + thisMachine + ") expired at " + at.UTC().Format(time.RFC3339)
}

// databaseCertificate: a replica refuses a server whose certificate has expired or is another's, names it and its expiry,
// stays alive, and serves as soon as the certificate is replaced.
func databaseCertificate(t *testing.T, r *rig) {
	t.Helper()
	ca := newAuthority(t)
	dir := serverFolder(t)
	at, words := expiry(time.Now().Add(3 * time.Second)) // MySQL takes none that has expired already
	r.showCertificate(t, ca, dir, thisMachine, at)
	rest(t, time.Until(at)+time.Second)
	env := []string{"DATABASE_URL=" + r.url("", thisMachine+":"+portOf(t, r.DB.Addr())), "DATABASE_CA_FILE=" + ca.file}
	replicas := []*single{r.one(t, "secure-task", programs.tasks, env...), r.one(t, "secure-stats", programs.stats, env...)}
	say := func(status int, words string) {
		for _, s := range replicas {
			s.says(t, status, "database", words)
		}
	}
	say(http.StatusServiceUnavailable, words)
	for _, s := range replicas {
		s.logs(t, words)
	}
	later := time.Now().Add(time.Hour)
	r.showCertificate(t, ca, dir, elsewhere, later)
	say(http.StatusServiceUnavailable, "is for another host name")
	r.showCertificate(t, newAuthority(t), dir, thisMachine, later)
	say(http.StatusServiceUnavailable, "authority that is not trusted")
	r.showCertificate(t, ca, dir, thisMachine, later)
	say(http.StatusOK, "")
}

// serverFolder returns one that the database's server may read, and nobody else.
func serverFolder(t *testing.T) string {
	t.Helper()
	dir := folder(t)
	own(t, dir)
	return dir
}

// own gives a file to the database server's user.
func own(t *testing.T, path string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(nobody.Gid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, uid, gid); err != nil {
		t.Fatal(err)
	}
}

// showCertificate makes the running server show a certificate to those who want TLS.
func (r *rig) showCertificate(t *testing.T, a *authority, dir, name string, until time.Time) {
	t.Helper()
	cert, key := a.issue(t, name, until)
	certFile, keyFile := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	for file, text := range map[string][]byte{certFile: cert, keyFile: key} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		own(t, file)
	}
	if r.engine == cluster.Postgres {
		r.exec(t, "ALTER SYSTEM SET ssl_cert_file = '"+certFile+"'", "ALTER SYSTEM SET ssl_key_file = '"+keyFile+"'", "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
		return
	}
	r.exec(t, "SET GLOBAL ssl_ca = '"+a.file+"'", "SET GLOBAL ssl_cert = '"+certFile+"'", "SET GLOBAL ssl_key = '"+keyFile+"'", "ALTER INSTANCE RELOAD TLS")
}

// natsCertificate: the same with NATS, without which the board works.
func natsCertificate(t *testing.T, r *rig) {
	t.Helper()
	ca := newAuthority(t)
	at, words := expiry(time.Now().Add(-time.Hour))
	secured := func(name string, until time.Time) *tls.Config {
		cert, err := tls.X509KeyPair(ca.issue(t, name, until))
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	opts := &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: folder(t), NoSigs: true, TLSConfig: secured(thisMachine, at), TLSTimeout: answering.Seconds()}
	nats := serve(t, opts)
	port := portOf(t, nats.Addr().String())
	s := r.one(t, "secure-nats", programs.tasks, "NATS_URL=nats://"+thisMachine+":"+port, "NATS_CA_FILE="+ca.file)
	s.says(t, http.StatusOK, "nats", words)
	s.logs(t, words)
	if a := r.ask(t, request{at: s.addr, path: "/api/v1/projects/" + projectKey + "/tasks"}); !a.ok() {
		t.Errorf("the board does not work: %s", a)
	}
	show := func(name string, until time.Time) {
		next := opts.Clone()
		next.TLSConfig = secured(name, until)
		if err := nats.ReloadOptions(next); err != nil {
			t.Fatal(err)
		}
	}
	show(elsewhere, time.Now().Add(time.Hour))
	s.says(t, http.StatusOK, "nats", "is for another host name")
	show(thisMachine, time.Now().Add(time.Hour))
	until(t, "it connects", func() error {
		h, _ := r.healthOf(t, s.addr)
		if status, detail, _ := h.check("nats"); status != "ok" {
			return fmt.Errorf("%s", detail)
		}
		return nil
	})
}
