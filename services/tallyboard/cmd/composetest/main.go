// Command composetest brings the compose stack up and holds it to what docs/deployment.md promises: `make compose-test`.
package main

import (
	"fmt"
	"os"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/composetest"
)

func main() {
	ctx, stop := boot.SignalContext()
	cfg, err := boot.LoadConfig[composetest.Config](os.Environ())
	if err == nil {
		err = composetest.Run(ctx, cfg, os.Stdout)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compose-test:", err)
		os.Exit(1)
	}
}
