package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/bench"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/demo"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/launch"
	"github.com/tallyboard/tallyboard/services/web"
)

// linkedVersion is set by the linker in releases (-X main.linkedVersion=…).
var linkedVersion string

// version returns what this program was built from.
func version() string {
	if linkedVersion != "" {
		return linkedVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "devel-" + s.Value[:12]
			}
		}
	}
	return "devel"
}

// run starts the product. What a person should see goes to standard output, logs go to standard error: only warnings,
// unless LOG_LEVEL says otherwise.
func run(ctx context.Context) error {
	environ := os.Environ()
	if os.Getenv("LOG_LEVEL") == "" {
		environ = append(environ, "LOG_LEVEL=warn")
	}
	cfg, err := boot.LoadConfig[launch.Config](environ)
	if err != nil {
		return err
	}
	return launch.Run(ctx, cfg, launch.Deps{Environ: environ, Out: os.Stdout, Log: logger(environ), LogOut: os.Stderr, UI: web.Dist(), Version: version()})
}

func logger(environ []string) *slog.Logger {
	level := slog.LevelWarn
	for _, kv := range environ {
		if text, ok := strings.CutPrefix(kv, "LOG_LEVEL="); ok {
			_ = level.UnmarshalText([]byte(text)) // the services refuse a wrong one with a sentence
		}
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

func fill(ctx context.Context) error {
	cfg, err := boot.LoadConfig[demo.Config](os.Environ())
	if err != nil {
		return err
	}
	return demo.Run(ctx, cfg, os.Stdout)
}

func measure(ctx context.Context) error {
	cfg, err := boot.LoadConfig[bench.Config](os.Environ())
	if err != nil {
		return fmt.Errorf("%w (make bench sets what is needed)", err)
	}
	return bench.Run(ctx, cfg, os.Stdout)
}
