package launch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/pgembed"
)

// childVariable makes the test binary run the product instead of the tests, so that it can be killed.
const childVariable = "TALLYBOARD_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		if err := runProduct(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m, // Fiber and fasthttp leave these running for good or for their pause
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

func runProduct() error {
	ctx, stop := boot.SignalContext()
	defer stop()
	cfg, err := boot.LoadConfig[Config](os.Environ())
	if err != nil {
		return err
	}
	return Run(ctx, cfg, Deps{Environ: os.Environ(), Out: os.Stdout, Log: slog.New(slog.DiscardHandler), LogOut: io.Discard, UI: fstest.MapFS{}, Version: "test"})
}

// dataDir is open to others, so that the database's unprivileged user can reach it when root runs the tests.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tallyboard-launch") //nolint:usetesting // t.TempDir is closed to the database's user
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// child starts the product as a process of its own and returns its address once it is ready.
func child(t *testing.T, dir string, environ ...string) (cmd *exec.Cmd, url string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childVariable+"=1", "PORT=0", "DATA_DIR="+dir, "POSTGRES_DIR="+binariesDir(t)), environ...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() }) //nolint:errcheck // it has ended already in a test that passes
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), "ready at "); ok {
			go io.Copy(io.Discard, out) //nolint:errcheck // ends with the process
			return cmd, after
		}
	}
	t.Fatal("the product ended before it was ready")
	return nil, ""
}

func binariesDir(t *testing.T) string {
	t.Helper()
	pkg, err := pgembed.Package()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs(filepath.Join("..", "..", "postgres", "node_modules", filepath.FromSlash(pkg), "native"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func call(t *testing.T, method, url, body string, want int, into any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // what matters was read
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != want {
		t.Fatalf("%s %s: status %d: %s", method, url, res.StatusCode, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatalf("%s %s: %v: %s", method, url, err, answer)
		}
	}
}

// awaitStats waits until statistics count n tasks.
func awaitStats(t *testing.T, url string, n int) {
	t.Helper()
	var got struct{ Total int }
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		call(t, "GET", url+"/api/v1/stats/projects/RUN/summary", "", 200, &got)
		if got.Total == n {
			return
		}
	}
	t.Fatalf("statistics count %d tasks, want %d", got.Total, n)
}

func TestEverythingWorksAndSurvivesKill(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	cmd, url := child(t, dir)
	call(t, "POST", url+"/api/v1/projects", `{"key":"RUN","name":"Run"}`, 201, nil)
	for i := range 5 {
		call(t, "POST", url+"/api/v1/projects/RUN/tasks", fmt.Sprintf(`{"title":"Task %d"}`, i), 201, nil)
	}
	awaitStats(t, url, 5)
	call(t, "GET", url+"/health", "", 200, nil)
	call(t, "GET", url+"/api/v1/stats/health", "", 200, nil)

	// A second instance on the same data is refused in one sentence.
	second := exec.Command(os.Args[0])
	second.Env = append(os.Environ(), childVariable+"=1", "PORT=0", "DATA_DIR="+dir)
	out, err := second.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another Tallyboard is running on the data folder") {
		t.Fatalf("second instance: %v: %s", err, out)
	}

	// kill -9, in the middle of things.
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // killed
	cmd, url = child(t, dir)
	var tasks struct{ Tasks []struct{ Key string } }
	call(t, "GET", url+"/api/v1/projects/RUN/tasks", "", 200, &tasks)
	if len(tasks.Tasks) != 5 {
		t.Fatalf("%d tasks after kill -9, want 5", len(tasks.Tasks))
	}
	call(t, "POST", url+"/api/v1/projects/RUN/tasks", `{"title":"Task after"}`, 201, nil)
	awaitStats(t, url, 6)
	var verdict struct{ Equal bool }
	call(t, "GET", url+"/api/v1/stats/verify", "", 200, &verdict)
	if !verdict.Equal {
		t.Error("statistics differ from a recount")
	}

	// Ctrl+C.
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(strings.Replace(url, "localhost", "127.0.0.1", 1), "http://")); err == nil {
		conn.Close() //nolint:errcheck // the test has failed already
		t.Error("the port is still open")
	}
}

func TestPortInUseIsOneSentence(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()                      //nolint:errcheck // the test is over
	port := l.Addr().(*net.TCPAddr).Port //nolint:errcheck // l listens on TCP
	cfg := Config{Host: "127.0.0.1", Port: port, DataDir: t.TempDir(), StopTimeout: time.Second, ReadyTimeout: time.Second}
	err = Run(t.Context(), cfg, Deps{Out: io.Discard, Log: slog.New(slog.DiscardHandler), LogOut: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "is in use") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyLoopbackIsQuiet(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{"127.0.0.1": true, "::1": true, "localhost": true, "0.0.0.0": false, "": false, "10.0.0.1": false, "example.org": false} {
		if got := loopback(host); got != want {
			t.Errorf("loopback(%q) = %v", host, got)
		}
	}
}
