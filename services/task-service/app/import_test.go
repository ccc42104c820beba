package app_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// importedRows is more than two transactions of an import, which looks before each whether it may go on.
const importedRows = 1200

// A script that sends a file and does not wait, or is cut off while it waits, has handed over all that it had: no other
// instance can be asked, so nothing speaks against going on.
func TestAnImportGoesOnWhenItsSenderHasLeft(t *testing.T) {
	t.Parallel()
	r := start(t, testkit.Postgres(t), testkit.NATS(t), nil)
	r.createProject()
	var file strings.Builder
	file.WriteString("id,title,created,finished\n")
	for i := range importedRows {
		fmt.Fprintf(&file, "A-%d,Task %d,2026-01-02,\n", i, i)
	}
	host := strings.TrimPrefix(r.url, "http://")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "POST /api/v1/projects/%s/import?format=csv HTTP/1.1\r\nHost: %s\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n", project, host, file.Len())
	if err == nil {
		_, err = io.WriteString(conn, file.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	closing(conn)
	eventually(t, "the import has ended", func() bool {
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, `"msg":"request"`) && strings.Contains(line, "/import") {
				return true
			}
		}
		return false
	})
	if n := strings.Count(r.get("/api/v1/projects/"+project+"/export?format=csv"), "Task "); n != importedRows {
		t.Errorf("%d tasks were imported, want %d", n, importedRows)
	}
}
