// Command stats-service computes statistics from the history of tasks and serves them. "stats-service help" lists its
// commands.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/stats-service/app"
)

// version is set by the linker at a release: -ldflags "-X main.version=1.2.3".
var version string

func main() {
	ctx, stop := boot.SignalContext()
	err := app.Command(ctx, os.Args[1:], app.Terminal{Environ: os.Environ(), Out: os.Stdout, Err: os.Stderr}, versionOf())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stats-service:", err)
		os.Exit(1)
	}
}

// versionOf returns the release, or else the commit this was built from.
func versionOf() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return "dev"
}
