package provision

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/tallyboard/tallyboard/services/internal/kit/jsbus"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// patience bounds what a test waits for; it is only used up by a test that fails.
const patience = 20 * time.Second

const deployDir = "../../../../deploy"

// natsServer runs a server on the configuration of deploy/nats with fresh secrets, in the folders of the containers.
func natsServer(t *testing.T) (natsURL string, secrets SecretsConfig) {
	t.Helper()
	secrets = setup(t)
	secretsOf(t, secrets, false, time.Now())
	root := t.TempDir()
	config := filepath.Join(root, "etc", "tallyboard")
	copyFiles(t, filepath.Join(deployDir, "nats"), config)
	copyFiles(t, filepath.Join(secrets.Dir, "nats"), filepath.Join(root, "run", "secrets"))
	relocate(t, config, root)
	for _, file := range []string{"nats.conf", "cluster.conf"} {
		if _, err := server.ProcessConfigFile(filepath.Join(config, file)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	options, err := server.ProcessConfigFile(filepath.Join(config, "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if options.SyncInterval != time.Second {
		t.Errorf("it syncs every %s", options.SyncInterval)
	}
	options.Host, options.Port, options.HTTPPort, options.StoreDir = "127.0.0.1", -1, 0, t.TempDir()
	options.NoLog, options.NoSigs = true, true
	srv, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return srv.ClientURL(), secrets
}

// relocate makes absolute paths of secrets begin at root. What is included has relative ones.
func relocate(t *testing.T, config, root string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(config, "*.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		moved := strings.ReplaceAll(string(content), " /run/secrets/", " "+root+"/run/secrets/")
		if err := os.WriteFile(name, []byte(moved), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// authority is the file by which a consumer trusts the servers.
func authority(secrets SecretsConfig, consumer string) string {
	return filepath.Join(secrets.Dir, consumer, "ca.crt")
}

func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// busAs connects as a service of compose.yaml does.
func busAs(t *testing.T, address string, secrets SecretsConfig, consumer, inbox string) *jsbus.Bus {
	t.Helper()
	bus, err := jsbus.Connect(t.Context(), jsbus.Config{
		URL: address, NKeySeedFile: filepath.Join(secrets.Dir, consumer, "nats.seed"), InboxPrefix: inbox, Provisioned: true,
		CAFile: authority(secrets, consumer),
	}, telemetry.Nop(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := bus.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !bus.Connected() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s does not get in", consumer)
		}
	}
	return bus
}

func TestServicesCanDoTheirWorkWithTheRightsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	address, secrets := natsServer(t)
	admin := busAs(t, address, secrets, "provision", "_INBOX_admin")
	if err := admin.Provision(t.Context(), "stats"); err != nil {
		t.Fatal(err)
	}
	task := busAs(t, address, secrets, "task-service", "_INBOX_task")
	stats := busAs(t, address, secrets, "stats-service", "_INBOX_stats")

	ctx, cancel := context.WithCancel(t.Context())
	received, tailed, subscribed := make(chan string, 1), make(chan string, 1), make(chan struct{}, 1)
	ended := make(chan error, 2)
	go func() {
		ended <- stats.Consume(ctx, "stats", func(_ context.Context, batch []jsbus.Delivery) {
			for _, d := range batch {
				if err := d.Ack(); err != nil {
					t.Error(err)
				}
				received <- string(d.Data)
			}
		})
	}()
	go func() {
		ended <- task.Tail(ctx, func(batch []jsbus.Delivery) { tailed <- string(batch[0].Data) }, jsbus.OnSubscribed(func() { subscribed <- struct{}{} }))
	}()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
	wait := func(what string, c <-chan string) {
		t.Helper()
		select {
		case got := <-c:
			if got != "hello" {
				t.Errorf("%s: %q", what, got)
			}
		case <-time.After(patience):
			t.Fatalf("%s: nothing came", what)
		}
	}
	select {
	case <-subscribed:
	case <-time.After(patience):
		t.Fatal("task-service cannot tail the stream")
	}
	woken := make(chan string, 2)
	for _, hint := range []struct {
		from, to *jsbus.Bus
		subject  string
	}{{task, task, "wake.relay"}, {stats, stats, "wake.stats.x"}} {
		stop, err := hint.to.Listen(hint.subject, func(data []byte) { woken <- string(data) })
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
	}
	if _, err := task.Publish(t.Context(), []jsbus.Msg{{Subject: "tasks.p.t", ID: "1", Data: []byte("hello")}}); err != nil {
		t.Fatal(err)
	}
	wait("the consumer of stats-service", received)
	wait("the tail of task-service", tailed)
	task.Notify("wake.relay", []byte("hello"))
	wait("a hint between replicas of task-service", woken)
	stats.Notify("wake.stats.x", []byte("hello"))
	wait("a hint between replicas of stats-service", woken)
}

// TestEveryReplicaAnswersHowItIs asks as the operations page does. Those who answer are two of each service, and the one
// who asks; an answer is the only thing that stats-service may send to an inbox of task-service.
func TestEveryReplicaAnswersHowItIs(t *testing.T) {
	t.Parallel()
	const wait = 400 * time.Millisecond // of one round; a slow machine gets more rounds
	address, secrets := natsServer(t)
	var asking *jsbus.Bus
	want := []string{"stats-service 0", "stats-service 1", "task-service 0", "task-service 1"}
	for _, name := range want {
		service, _, _ := strings.Cut(name, " ")
		inbox, _, _ := strings.Cut(service, "-")
		bus := busAs(t, address, secrets, service, "_INBOX_"+inbox)
		stop, err := bus.Reply("ops.status", func() ([]byte, error) { return []byte(name), nil })
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		asking = bus
	}
	var got []string
	for deadline := time.Now().Add(patience); len(got) != len(want) && time.Now().Before(deadline); {
		answers, err := asking.Gather(t.Context(), "ops.status", nil, wait)
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, a := range answers {
			got = append(got, string(a))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("answers %q, want %q", got, want)
	}
}

func TestServicesMayNotDoMore(t *testing.T) {
	t.Parallel()
	address, secrets := natsServer(t)
	for _, c := range []struct{ consumer, publish, subscribe string }{
		{consumer: "task-service", publish: "$JS.API.STREAM.DELETE.TASKS"},
		{consumer: "task-service", publish: "$JS.API.STREAM.PURGE.TASKS"},
		{consumer: "task-service", publish: "$JS.API.STREAM.CREATE.OTHER"},
		{consumer: "task-service", publish: "$JS.API.CONSUMER.DELETE.TASKS.stats"},
		{consumer: "task-service", publish: "$JS.API.CONSUMER.CREATE.TASKS.stats"},
		{consumer: "task-service", publish: "$JS.API.CONSUMER.MSG.NEXT.TASKS.stats"},
		{consumer: "task-service", publish: "$JS.ACK.TASKS.stats.1.1.1.1.1"},
		{consumer: "task-service", publish: "wake.stats.x"},
		{consumer: "task-service", subscribe: "_INBOX_stats.>"},
		{consumer: "task-service", subscribe: "tasks.>"},
		{consumer: "task-service", publish: "_INBOX_stats.x"},
		{consumer: "task-service", subscribe: "ops.>"},
		{consumer: "stats-service", publish: "ops.status"},
		{consumer: "stats-service", publish: "_INBOX_task.x"},
		{consumer: "stats-service", publish: "tasks.p.t"},
		{consumer: "stats-service", publish: "wake.relay"},
		{consumer: "stats-service", publish: "$JS.API.CONSUMER.DELETE.TASKS.stats"},
		{consumer: "stats-service", publish: "$JS.API.CONSUMER.CREATE.TASKS.other"},
		{consumer: "stats-service", subscribe: "_INBOX_task.>"},
		{consumer: "stats-service", subscribe: "tasks.>"},
		{consumer: "provision", publish: "tasks.p.t"},
		{consumer: "provision", subscribe: "tasks.>"},
	} {
		t.Run(c.consumer+" "+c.publish+c.subscribe, func(t *testing.T) {
			t.Parallel()
			if err := attempt(t, address, secrets, c.consumer, c.publish, c.subscribe); err == nil {
				t.Error("it may")
			}
		})
	}
	if _, err := nats.Connect(address, nats.RootCAs(authority(secrets, "task-service"))); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("whoever has no identity gets in, or gets %v", err)
	}
	identity, err := nats.NkeyOptionFromSeed(filepath.Join(secrets.Dir, "task-service", "nats.seed"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nats.Connect(address, identity); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("the server's certificate is one that everybody trusts: %v", err)
	}
	if err := plain(t, address); err == nil {
		t.Error("a connection without TLS gets in")
	}
}

// plain speaks to the server as a client does that knows no TLS.
func plain(t *testing.T, rawURL string) error {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing is left to lose
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("CONNECT {\"verbose\":false}\r\nPING\r\n")); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if lines.Text() == "PONG" {
			return nil
		}
	}
	return errors.New("the server hung up")
}

// attempt publishes or subscribes, and returns what the server objects to.
func attempt(t *testing.T, address string, secrets SecretsConfig, consumer, publish, subscribe string) error {
	t.Helper()
	identity, err := nats.NkeyOptionFromSeed(filepath.Join(secrets.Dir, consumer, "nats.seed"))
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(address, identity, nats.RootCAs(authority(secrets, consumer)), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if publish != "" {
		err = nc.Publish(publish, nil)
	} else {
		_, err = nc.SubscribeSync(subscribe)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil { // a refusal comes before the answer to this
		t.Fatal(err)
	}
	return nc.LastError()
}
