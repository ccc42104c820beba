// Command provision sets a deployment of Tallyboard up: secrets, database users, schema, stream and consumers.
// "provision help" lists its commands.
package main

import (
	"fmt"
	"os"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/provision"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	ctx, stop := boot.SignalContext()
	err := provision.Command(ctx, os.Args[1:], os.Environ(), os.Stdout, version)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "provision:", err)
		os.Exit(1)
	}
}
