// Package jsbus moves events over NATS JetStream (https://docs.nats.io/nats-concepts/jetstream).
//
// JetStream is the fast path and never the truth: acknowledged messages can be lost, streams can be wiped or restored,
// and the server may be away for a day. So nothing here is relied on for completeness. Publish reports what was
// acknowledged and the rest is sent again; Consume and Tail deliver at least once, may skip what a lost stream took with
// it, and come back by themselves. Their callers find gaps and repetitions by the event's own position.
package jsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/metric"

	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// Config says where NATS is, who we are there, and how the stream is kept. Zero values take the defaults of the tags.
type Config struct {
	// URL is one or more server URLs, separated by commas.
	URL string `env:"NATS_URL" envDefault:"nats://127.0.0.1:4222" secret:"true"`
	// Name is the connection's name in the server's monitoring.
	Name string `env:"-"`
	// InProcess replaces URL by a server in this process.
	InProcess nats.InProcessConnProvider `env:"-"`
	// CredsFile is a credentials file (JWT and seed) of this service's identity.
	CredsFile string `env:"NATS_CREDS_FILE"`
	// NKeySeedFile is a file with the NKey seed of this service's identity.
	NKeySeedFile string `env:"NATS_NKEY_SEED_FILE"`
	// User and Password identify this service where the server keeps passwords.
	User     string `env:"NATS_USER"`
	Password string `env:"NATS_PASSWORD" secret:"true"`
	// CAFile is a PEM file with the certificate authorities to trust; it turns TLS with verification on.
	CAFile string `env:"NATS_CA_FILE"`
	// InboxPrefix is the prefix of reply subjects that this identity may subscribe to.
	InboxPrefix string `env:"NATS_INBOX_PREFIX"`

	// Stream is the stream's name, Subjects what it stores.
	Stream   string   `env:"NATS_STREAM" envDefault:"TASKS"`
	Subjects []string `env:"-"`
	// SubjectTemplate is Subjects' pattern with named tokens, for span names.
	SubjectTemplate string `env:"-"`
	// Provisioned says that the stream and its consumers are made at deploy, by another identity. Without it, this one
	// makes them when they are missing.
	Provisioned bool `env:"NATS_STREAM_PROVISIONED" envDefault:"false"`
	// Replicas is the number of servers that hold the stream: 1, 3 or 5.
	Replicas int `env:"NATS_STREAM_REPLICAS" envDefault:"1"`
	// MaxAge is how long the stream keeps a message.
	MaxAge time.Duration `env:"NATS_STREAM_MAX_AGE" envDefault:"168h"`
	// DuplicateWindow is how long the stream recognises a repeated message id.
	DuplicateWindow time.Duration `env:"NATS_DUPLICATE_WINDOW" envDefault:"2m"`

	// ConnectTimeout bounds one attempt to connect.
	ConnectTimeout time.Duration `env:"NATS_CONNECT_TIMEOUT" envDefault:"2s"`
	// ReconnectWait is the longest pause between two attempts.
	ReconnectWait time.Duration `env:"NATS_RECONNECT_WAIT" envDefault:"2s"`
	// PingInterval is how often a silent link is tried; two pings without an answer and it counts as cut.
	PingInterval time.Duration `env:"NATS_PING_INTERVAL" envDefault:"5s"`
	// RequestTimeout bounds a request to the JetStream API.
	RequestTimeout time.Duration `env:"NATS_REQUEST_TIMEOUT" envDefault:"5s"`
	// PublishTimeout is how long a published message may wait for its acknowledgement.
	PublishTimeout time.Duration `env:"NATS_PUBLISH_TIMEOUT" envDefault:"5s"`
	// PublishWindow is the number of messages on their way without acknowledgement.
	PublishWindow int `env:"NATS_PUBLISH_WINDOW" envDefault:"512"`
	// BatchSize is the number of messages a handler gets at once, at most.
	BatchSize int `env:"NATS_BATCH_SIZE" envDefault:"256"`
	// AckWait is when an unacknowledged message is delivered again.
	AckWait time.Duration `env:"NATS_ACK_WAIT" envDefault:"30s"`
	// MaxAckPending is the number of delivered messages without acknowledgement, at most.
	MaxAckPending int `env:"NATS_MAX_ACK_PENDING" envDefault:"1024"`
	// PullExpiry is the life of one pull request. Heartbeats come at a third of it, and two missing ones make the
	// consumer start afresh.
	PullExpiry time.Duration `env:"NATS_PULL_EXPIRY" envDefault:"15s"`
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	defInt := func(i *int, v int) {
		if *i <= 0 {
			*i = v
		}
	}
	defText := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	defText(&c.URL, nats.DefaultURL)
	defText(&c.Name, "tallyboard")
	defText(&c.Stream, "TASKS")
	defText(&c.SubjectTemplate, "tasks.{project}.{task}")
	if len(c.Subjects) == 0 {
		c.Subjects = []string{"tasks.>"}
	}
	defInt(&c.Replicas, 1)
	defInt(&c.PublishWindow, 512)
	defInt(&c.BatchSize, 256)
	defInt(&c.MaxAckPending, 1024)
	def(&c.MaxAge, 7*24*time.Hour)
	def(&c.DuplicateWindow, 2*time.Minute)
	def(&c.ConnectTimeout, 2*time.Second)
	def(&c.ReconnectWait, 2*time.Second)
	def(&c.PingInterval, 5*time.Second)
	def(&c.RequestTimeout, 5*time.Second)
	def(&c.PublishTimeout, 5*time.Second)
	def(&c.AckWait, 30*time.Second)
	def(&c.PullExpiry, 15*time.Second)
	return c
}

// maxPingsOut is the number of unanswered pings after which a link counts as cut.
const maxPingsOut = 2

// Bus is a connection to NATS. It is safe for concurrent use.
type Bus struct {
	cfg     Config
	nc      *nats.Conn
	js      jetstream.JetStream
	tel     *telemetry.Telemetry
	log     *slog.Logger
	closed  chan struct{}
	closing atomic.Bool // Close was called: the end of the connection is no news

	publishName, processName string // of spans

	mu        sync.Mutex
	up        bool
	since     time.Time
	attempts  attempts
	consumers map[string]ConsumerStatus
}

// Connect returns a bus that connects in the background and for ever: NATS may be away now and later. Its error is about
// cfg only, such as a credentials file that cannot be read.
func Connect(_ context.Context, cfg Config, tel *telemetry.Telemetry, log *slog.Logger) (*Bus, error) {
	cfg = cfg.withDefaults()
	b := newBus(cfg, tel, log)
	options := []nats.Option{
		nats.Name(cfg.Name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // an identity that is renewed while we run must not need a restart
		nats.CustomReconnectDelay(func(attempts int) time.Duration {
			b.notice()
			ceiling := min(100*time.Millisecond<<min(attempts, 8), cfg.ReconnectWait)
			return ceiling/2 + rand.N(ceiling/2+1) //nolint:gosec // jitter needs no secrecy
		}),
		nats.ReconnectBufSize(-1), // fail at once: what cannot be sent now is sent again from the database
		nats.Timeout(cfg.ConnectTimeout),
		nats.PingInterval(cfg.PingInterval),
		nats.MaxPingsOutstanding(maxPingsOut),
		nats.FlusherTimeout(cfg.PingInterval),
		nats.DrainTimeout(cfg.RequestTimeout),
		nats.PermissionErrOnSubscribe(true),
	}
	if cfg.InProcess != nil {
		options = append(options, nats.InProcessServer(cfg.InProcess))
	}
	if cfg.InboxPrefix != "" {
		options = append(options, nats.CustomInboxPrefix(cfg.InboxPrefix))
	}
	if cfg.CredsFile != "" {
		options = append(options, nats.UserCredentials(cfg.CredsFile))
	}
	if cfg.NKeySeedFile != "" {
		option, err := nats.NkeyOptionFromSeed(cfg.NKeySeedFile)
		if err != nil {
			return nil, fmt.Errorf("NATS_NKEY_SEED_FILE: %w", err)
		}
		options = append(options, option)
	}
	if cfg.User != "" {
		options = append(options, nats.UserInfo(cfg.User, cfg.Password))
	}
	secured, err := cfg.secured()
	if err != nil {
		return nil, err
	}
	options = append(append(options, secured...), b.handlers()...)
	nc, err := nats.Connect(cfg.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("NATS connection: %w", err)
	}
	return b.attach(nc)
}

// Wrap returns a bus on a connection that exists. It takes over the connection's handlers, and Close closes it.
func Wrap(nc *nats.Conn, cfg Config, tel *telemetry.Telemetry, log *slog.Logger) (*Bus, error) {
	b := newBus(cfg.withDefaults(), tel, log)
	nc.SetDisconnectErrHandler(b.onDisconnect)
	nc.SetReconnectHandler(b.onConnect)
	nc.SetErrorHandler(b.onError)
	nc.SetClosedHandler(b.onClosed)
	return b.attach(nc)
}

func newBus(cfg Config, tel *telemetry.Telemetry, log *slog.Logger) *Bus {
	return &Bus{
		cfg: cfg, tel: tel, log: log, closed: make(chan struct{}),
		since: time.Now(), consumers: map[string]ConsumerStatus{},
		publishName: "publish " + cfg.SubjectTemplate, processName: "process " + cfg.SubjectTemplate,
	}
}

func (b *Bus) handlers() []nats.Option {
	return []nats.Option{
		nats.ConnectHandler(b.onConnect), nats.ReconnectHandler(b.onConnect), nats.DisconnectErrHandler(b.onDisconnect),
		nats.ReconnectErrHandler(b.onAttempt), nats.ErrorHandler(b.onError), nats.ClosedHandler(b.onClosed),
	}
}

func (b *Bus) attach(nc *nats.Conn) (*Bus, error) {
	js, err := jetstream.New(nc,
		jetstream.WithPublishAsyncMaxPending(b.cfg.PublishWindow),
		jetstream.WithPublishAsyncTimeout(b.cfg.PublishTimeout),
		jetstream.WithDefaultTimeout(b.cfg.RequestTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("JetStream: %w", err)
	}
	b.nc, b.js = nc, js
	b.mu.Lock()
	b.attempts.conn = nc
	b.mu.Unlock()
	if nc.IsConnected() {
		b.setUp(true)
	}
	if err := b.observe(); err != nil {
		nc.Close()
		return nil, err
	}
	return b, nil
}

// observe tells as a metric whether the connection is up.
func (b *Bus) observe() error {
	_, err := b.tel.Meter.Int64ObservableGauge("tallyboard.nats.connected", metric.WithDescription("1 while connected to NATS."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			var up int64
			if b.Connected() {
				up = 1
			}
			o.Observe(up)
			return nil
		}))
	if err != nil {
		return fmt.Errorf("observe the connection: %w", err)
	}
	return nil
}

func (b *Bus) onConnect(nc *nats.Conn) {
	if b.setUp(true) {
		b.log.Info("NATS connected", "server", nc.ConnectedServerName())
	}
}

func (b *Bus) onDisconnect(_ *nats.Conn, err error) {
	if b.setUp(false) && !b.closing.Load() {
		b.log.Warn("NATS disconnected; trying again until it is back", "error", err)
	}
}

func (b *Bus) onClosed(*nats.Conn) {
	b.setUp(false)
	close(b.closed)
}

// onError receives what has no caller to return to: permission violations, slow consumers and failed attempts.
func (b *Bus) onError(_ *nats.Conn, sub *nats.Subscription, err error) {
	attrs := []any{"error", err}
	if sub != nil {
		attrs = append(attrs, "subject", sub.Subject)
	}
	if errors.Is(err, nats.ErrPermissionViolation) || errors.Is(err, nats.ErrAuthorization) {
		b.log.Error("NATS refuses this identity", attrs...)
		return
	}
	b.log.Warn("NATS reports an error", attrs...)
}

// setUp records the state and reports whether it changed.
func (b *Bus) setUp(up bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.up == up {
		return false
	}
	b.up, b.since = up, time.Now()
	b.attempts.reason, b.attempts.told = "", nil
	return true
}

// Connected reports whether the connection is up. A cut link is noticed within three ping intervals.
func (b *Bus) Connected() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.up
}

// Since returns when the connection came into its present state.
func (b *Bus) Since() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.since
}

// ConsumerStatus is the state of one Consume or Tail.
type ConsumerStatus struct {
	// OK is whether messages can arrive.
	OK bool
	// Since is when this state began.
	Since time.Time
	// Err is why it is not OK.
	Err error
}

// Consumers returns the state of each running Consume by its durable name, and of Tail as "tail".
func (b *Bus) Consumers() map[string]ConsumerStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[string]ConsumerStatus, len(b.consumers))
	maps.Copy(out, b.consumers)
	return out
}

// Notify sends a hint on core NATS, best effort: without a connection it is dropped.
func (b *Bus) Notify(subject string, data []byte) {
	if err := b.nc.Publish(subject, data); err != nil {
		b.log.Debug("NATS hint dropped", "subject", subject, "error", err)
	}
}

// Listen calls fn for each hint on subject, one after the other, from now and through reconnects until stop is called.
// fn must be quick.
func (b *Bus) Listen(subject string, fn func([]byte)) (stop func(), err error) {
	return b.subscribe(subject, func(m *nats.Msg) { fn(m.Data) })
}

func (b *Bus) subscribe(subject string, fn nats.MsgHandler) (stop func(), err error) {
	sub, err := b.nc.Subscribe(subject, fn)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", subject, err)
	}
	return func() {
		if err := sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			b.log.Debug("NATS subscription could not be ended", "subject", subject, "error", err)
		}
	}, nil
}

// Close drains the connection: what was sent is flushed, subscriptions end. It returns when that is done or, cutting the
// connection, when ctx is.
func (b *Bus) Close(ctx context.Context) error {
	b.closing.Store(true)
	b.js.CleanupPublisher()
	if !b.nc.IsConnected() {
		b.nc.Close()
	} else if err := b.nc.Drain(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		b.nc.Close()
	}
	select {
	case <-b.closed:
		return nil
	case <-ctx.Done():
		b.nc.Close()
		return fmt.Errorf("drain NATS connection: %w", ctx.Err())
	}
}
