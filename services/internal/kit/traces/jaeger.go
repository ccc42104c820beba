package traces

import (
	"time"
)

// JaegerConfig says where a Jaeger answers queries. Zero values take the defaults of the tags.
type JaegerConfig struct {
	// URL is the address of Jaeger's query API, such as http://jaeger:16686; empty: there is none.
	URL string `env:"TRACES_URL"`
	// Timeout bounds one question to it.
	Timeout time.Duration `env:"TRACES_TIMEOUT" envDefault:"5s"`
}

// Jaeger reads traces from the query API of a Jaeger.
type Jaeger struct {
	None

	cfg JaegerConfig
}

// NewJaeger returns a source that asks the Jaeger at cfg.URL. It connects to nothing yet.
func NewJaeger(cfg JaegerConfig) *Jaeger { return &Jaeger{cfg: cfg} }

// Settings implements Source.
func (j *Jaeger) Settings() Settings { return Settings{Source: SourceJaeger} }

var _ Source = (*Jaeger)(nil)
