package app

import (
	"github.com/tallyboard/tallyboard/services/internal/kit/traces"
)

// traceSource returns where traces are read back: what was handed in, or else the Jaeger of TRACES_URL, or else nothing.
func traceSource(cfg Config, deps Deps) traces.Source {
	switch {
	case deps.Traces != nil:
		return deps.Traces
	case cfg.Traces.URL != "":
		return traces.NewJaeger(cfg.Traces)
	}
	return traces.None{}
}
