// Package natsembed runs nats-server with JetStream inside this process. Clients connect in-process; no port is opened.
package natsembed

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Config of an embedded NATS server.
type Config struct {
	StoreDir     string        // JetStream's files
	SyncInterval time.Duration // how often streams are synced to disk; the database holds every event anyway
	MaxStore     int64         // bytes on disk
	StartTimeout time.Duration
}

// Server is a running NATS server.
type Server struct{ srv *server.Server }

// Start starts the server and waits until it takes connections.
func Start(cfg Config, log *slog.Logger) (*Server, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName:         "tallyboard",
		DontListen:         true,
		JetStream:          true,
		StoreDir:           cfg.StoreDir,
		SyncInterval:       cfg.SyncInterval,
		JetStreamMaxStore:  cfg.MaxStore,
		JetStreamMaxMemory: 64 << 20,
		NoSigs:             true,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the embedded NATS server: %w", err)
	}
	srv.SetLoggerV2(logger{log}, false, false, false)
	go srv.Start()
	if !srv.ReadyForConnections(cfg.StartTimeout) {
		srv.Shutdown()
		return nil, fmt.Errorf("the embedded NATS server was not ready within %s", cfg.StartTimeout)
	}
	return &Server{srv}, nil
}

// Option makes a client connect in-process.
func (s *Server) Option() nats.Option { return nats.InProcessServer(s.srv) }

// Stop shuts the server down and waits.
func (s *Server) Stop() {
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
}

// logger passes the server's warnings and errors on; its notices are for operators of real servers.
type logger struct{ log *slog.Logger }

func (l logger) Noticef(format string, v ...any) {
	l.log.Debug("nats", "message", fmt.Sprintf(format, v...))
}
func (l logger) Warnf(format string, v ...any) {
	l.log.Warn("nats", "message", fmt.Sprintf(format, v...))
}
func (l logger) Errorf(format string, v ...any) {
	l.log.Error("nats", "message", fmt.Sprintf(format, v...))
}
func (l logger) Fatalf(format string, v ...any) {
	l.log.Error("nats", "message", fmt.Sprintf(format, v...))
}
func (l logger) Debugf(string, ...any) {}
func (l logger) Tracef(string, ...any) {}
