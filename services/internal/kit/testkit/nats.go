package testkit

import (
	"errors"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit/ports"
)

// natsReady bounds the start of the embedded NATS server, and the wait for its end.
const natsReady = 2 * time.Minute

// natsLook is the pause between two looks whether it may end.
const natsLook = time.Millisecond

// Server is a NATS server with JetStream on disk inside the test process. It keeps its port and its store through Stop
// and Restart, so that clients reconnect to it as they would to a restarted machine. Its methods belong to the test's
// own goroutine.
type Server struct {
	t     testing.TB
	store string
	port  int
	srv   *server.Server
}

// NATS returns the URL of a NATS server with JetStream that runs until the test ends.
func NATS(t testing.TB) string {
	t.Helper()
	return NATSServer(t).URL()
}

// NATSServer starts a NATS server with JetStream for one test, on a free port of 127.0.0.1 and with its store in the
// test's temporary directory. It ends with the test.
func NATSServer(t testing.TB) *Server {
	t.Helper()
	port, err := ports.Free()
	if err != nil {
		t.Fatalf("testkit: start NATS: %v", err)
	}
	s := &Server{t: t, store: t.TempDir(), port: port}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// URL returns the nats:// URL, the same for the server's whole life, also while it is stopped.
func (s *Server) URL() string {
	return (&url.URL{Scheme: "nats", Host: "127.0.0.1:" + strconv.Itoa(s.port)}).String()
}

// Running says whether the server is up.
func (s *Server) Running() bool { return s.srv != nil }

// Start runs the server if it is stopped and returns when it takes connections.
func (s *Server) Start() {
	s.t.Helper()
	if s.srv != nil {
		return
	}
	if err := s.start(); err != nil {
		s.t.Fatalf("testkit: start NATS: %v", err)
	}
}

func (s *Server) start() error {
	srv, err := server.NewServer(&server.Options{
		ServerName: "testkit",
		Host:       "127.0.0.1",
		Port:       s.port,
		JetStream:  true,
		StoreDir:   s.store,
		NoLog:      true,
		NoSigs:     true,
	})
	if err != nil {
		return err
	}
	srv.Start()
	if !srv.ReadyForConnections(natsReady) {
		srv.Shutdown()
		srv.WaitForShutdown()
		return errors.New("not ready within " + natsReady.String())
	}
	s.srv = srv
	return nil
}

// Stop shuts the server down and returns when it has ended; streams stay on disk. A stopped server stays stopped.
func (s *Server) Stop() {
	if s.srv == nil {
		return
	}
	EndNATS(s.srv)
	s.srv = nil
}

// EndNATS shuts down a server within the test process and returns when it has ended. A server that is told to while it makes
// a stream or a consumer ends without what it has just made, whose goroutines stay; so this waits until JetStream has answered
// what it was asked, natsReady at most.
func EndNATS(srv *server.Server) {
	for end := time.Now().Add(natsReady); time.Now().Before(end); {
		if js, err := srv.Jsz(nil); err != nil || js.API.Inflight == 0 { // without JetStream nothing is under way
			break
		}
		<-time.After(natsLook)
	}
	srv.Shutdown()
	srv.WaitForShutdown()
}

// Restart stops the server and starts it again on the same port with the same store.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

// Wipe stops the server, removes every stream, message and consumer from its disk and starts it again, empty.
func (s *Server) Wipe() {
	s.t.Helper()
	s.Stop()
	if err := os.RemoveAll(s.store); err != nil {
		s.t.Fatalf("testkit: wipe NATS: %v", err)
	}
	s.Start()
}
