package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

// Terminal is where a command is called from.
type Terminal struct {
	Environ  []string
	In       io.Reader
	Out, Err io.Writer
}

// healthTimeout bounds the question of the healthcheck command.
const healthTimeout = 3 * time.Second

const usage = `Usage: task-service COMMAND

  serve        run the service (the default)
  migrate      bring the database's schema up to date
  healthcheck  ask the service on this machine whether it is healthy
  import       read tasks with their history from a file into a project
  export       write a project to a file
  version      print the version

The commands are configured by environment variables, DATABASE_URL first of all; "task-service import -h" and
"task-service export -h" list their options.`

// Command runs one command of the program, by its arguments without the program's name. Errors are sentences for the
// terminal.
func Command(ctx context.Context, args []string, t Terminal, version string, ui fs.FS) error {
	name := "serve"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	run := map[string]func() error{
		"serve": func() error {
			cfg, err := boot.LoadConfig[Config](t.Environ)
			if err != nil {
				return err
			}
			return Run(ctx, cfg, Deps{Log: t.Out, Version: version, UI: ui})
		},
		"migrate":     func() error { return migrateCommand(ctx, t) },
		"healthcheck": func() error { return healthcheck(ctx, t) },
		"import":      func() error { return importCommand(ctx, args, t) },
		"export":      func() error { return exportCommand(ctx, args, t) },
		"version":     func() error { return printLine(t.Out, ServiceName+" "+version) },
		"help":        func() error { return printLine(t.Out, usage) },
	}[name]
	if run == nil {
		return fmt.Errorf("there is no command %q\n\n%s", name, usage)
	}
	if err := run(); !errors.Is(err, flag.ErrHelp) {
		return err
	}
	return nil
}

func printLine(w io.Writer, text string) error {
	if _, err := fmt.Fprintln(w, text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func migrateCommand(ctx context.Context, t Terminal) error {
	cfg, err := boot.LoadConfig[Config](t.Environ)
	if err != nil {
		return err
	}
	url, err := cfg.Database.ResolvedURL()
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	cfg.Telemetry.LogWriter = t.Err
	tel, err := telemetry.Start(ctx, cfg.named(Deps{Log: t.Err}).Telemetry)
	if err != nil {
		return err
	}
	return errors.Join(Migrate(ctx, url, tel.Logger()), tel.Shutdown(context.WithoutCancel(ctx)))
}

// healthcheck asks /health of the service that listens on LISTEN. Images without a shell call it.
func healthcheck(ctx context.Context, t Terminal) error {
	cfg, err := boot.LoadConfig[struct {
		Listen string `env:"LISTEN" envDefault:"127.0.0.1:8080"`
	}](t.Environ)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return fmt.Errorf("LISTEN: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health", nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not healthy: %s %s", res.Status, body)
	}
	return nil
}
