package provision

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/demo"
)

const usage = `Usage: provision COMMAND

  secrets   make what is missing of the passwords, identities and certificates, and hand each container its own
  rotate    the same, with new ones in place of all that can be replaced
  apply     make the database, its users, the schema, the stream and its consumers
  demo      fill a running Tallyboard with ninety days of a team's work
  version   print the version

Each is configured by environment variables and may run again at any time.`

// Command runs one command, by its arguments without the program's name.
func Command(ctx context.Context, args, environ []string, out io.Writer, version string) error {
	name := "help"
	if len(args) > 0 {
		name = args[0]
	}
	switch name {
	case "secrets", "rotate":
		cfg, err := boot.LoadConfig[SecretsConfig](environ)
		if err != nil {
			return fmt.Errorf("secrets: %w", err)
		}
		return Secrets(cfg, name == "rotate", time.Now(), out)
	case "apply":
		cfg, err := boot.LoadConfig[ApplyConfig](environ)
		if err != nil {
			return fmt.Errorf("apply: %w", err)
		}
		return Apply(ctx, cfg, slog.New(slog.NewJSONHandler(out, nil)))
	case "demo":
		cfg, err := boot.LoadConfig[demo.Config](environ)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		return demo.Run(ctx, cfg, out) //nolint:wrapcheck // a sentence for the terminal already
	case "version":
		return show(out, "provision "+version)
	case "help":
		return show(out, usage)
	}
	return fmt.Errorf("there is no command %q\n\n%s", name, usage)
}

func show(out io.Writer, text string) error {
	if _, err := fmt.Fprintln(out, text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
