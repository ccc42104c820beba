package testkit

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
)

// Tools returns a folder with the programs of an engine, mysql or postgres: server, client, and what backups are made
// with. It is for tests that run a server of their own. servers.sh finds or fetches them; the test fails if it cannot.
func Tools(t testing.TB, engine string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-s", "--", "tools", engine) //nolint:gosec // engine is the test's
	cmd.Stdin = strings.NewReader(serversScript())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("servers.sh tools %s: %v\n%s", engine, err, stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}
