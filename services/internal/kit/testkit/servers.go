package testkit

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

//go:embed servers.sh servers-*.sh
var serversFiles embed.FS

// serversScript is servers.sh with its parts ahead of it: as a file it reads them from beside itself.
var serversScript = sync.OnceValue(func() string {
	var script strings.Builder
	parts, err := fs.Glob(serversFiles, "servers-*.sh")
	for _, name := range append(parts, "servers.sh") {
		content, readErr := serversFiles.ReadFile(name)
		err = errors.Join(err, readErr)
		script.Write(content)
		script.WriteByte('\n')
	}
	if err != nil {
		panic(fmt.Sprintf("read what is part of this program: %v", err)) // it was there when it was built
	}
	return script.String()
})

// startTimeout bounds servers.sh, which at the very first time downloads a server.
const startTimeout = 10 * time.Minute

// engineServer is one engine's server, located once per test process.
type engineServer struct {
	engine   string // as servers.sh spells it
	variable string // names a server to use instead
	dialect  dialect
	locate   func() (string, error)
}

func newServer(engine, variable string, d dialect) *engineServer {
	s := &engineServer{engine: engine, variable: variable, dialect: d}
	s.locate = sync.OnceValues(s.find)
	return s
}

// find returns the server's URL, starting it if no variable names one, after dropping what killed tests left behind.
func (s *engineServer) find() (string, error) {
	url := os.Getenv(s.variable)
	if url == "" {
		var err error
		if url, err = startServer(s.engine); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	if err := s.dialect.sweep(ctx, url); err != nil {
		return "", fmt.Errorf("drop old test databases on %s: %w", s.engine, err)
	}
	return url, nil
}

// startServer runs servers.sh, embedded so that it is found whatever the build flags and working directory.
func startServer(engine string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-s", "--", "start", engine) //nolint:gosec // engine is one of three constants
	cmd.Stdin = strings.NewReader(serversScript())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("servers.sh start %s: %w\n%s", engine, err, stderr.String())
	}
	url := strings.TrimSpace(stdout.String())
	if url == "" {
		return "", errors.New("servers.sh start " + engine + " printed no URL")
	}
	return url, nil
}
