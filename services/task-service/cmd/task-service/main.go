// Command task-service keeps projects and tasks: it serves the API and the browser UI, and carries every change to
// whoever listens. "task-service help" lists its commands.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/task-service/app"
	"github.com/tallyboard/tallyboard/services/web"
)

// version is set by the linker at a release: -ldflags "-X main.version=1.2.3".
var version string

func main() {
	ctx, stop := boot.SignalContext()
	terminal := app.Terminal{Environ: os.Environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	err := app.Command(ctx, os.Args[1:], terminal, versionOf(), web.Dist())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "task-service:", err)
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
