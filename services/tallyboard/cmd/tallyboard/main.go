// Command tallyboard is the whole product in one process: both services, PostgreSQL and NATS.
//
//	tallyboard run      start it (the default)
//	tallyboard demo     fill a running one with ninety days of a team's work
//	tallyboard export   write all projects of a running one to a file
//	tallyboard import   bring such a file into a running one, on either engine
//	tallyboard bench    measure the services against raw-driver floors
//	tallyboard version  print the version
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
)

func main() {
	ctx, stop := boot.SignalContext()
	err := command(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tallyboard:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	name := "run"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "run":
		return run(ctx)
	case "demo":
		return fill(ctx)
	case "export":
		return export(ctx, args)
	case "import":
		return bring(ctx, args)
	case "bench":
		return measure(ctx)
	case "version", "--version":
		fmt.Println("tallyboard", version())
		return nil
	}
	return fmt.Errorf("unknown command %q: there are run, demo, export, import, bench and version", name)
}
