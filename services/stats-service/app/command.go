package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/consumer"
)

// Terminal is where a command is called from.
type Terminal struct {
	Environ  []string
	Out, Err io.Writer
}

// healthTimeout bounds the question of the healthcheck command.
const healthTimeout = 3 * time.Second

const usage = `Usage: stats-service COMMAND

  serve            run the service (the default)
  migrate          bring the service's own schema up to date (task-service's comes first)
  rebuild [-fresh] compute all statistics anew from the history, while the service goes on answering;
                   goes on where an interrupted rebuild stopped, unless -fresh
  verify [-limit N] recount from tasks and history and print the differences as JSON; fails if there are any
  retry ID...|-all try the parked events of tasks or projects again
  healthcheck      ask the service on this machine whether it is healthy
  version          print the version

The commands are configured by environment variables, DATABASE_URL first of all.`

// Command runs one command of the program, by its arguments without the program's name. Errors are sentences for the
// terminal.
func Command(ctx context.Context, args []string, t Terminal, version string) error {
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
			return Run(ctx, cfg, Deps{Log: t.Out, Version: version})
		},
		"migrate": func() error {
			return withTools(ctx, t, func(x tools) error {
				url, err := x.cfg.Database.ResolvedURL()
				if err != nil {
					return err
				}
				return Migrate(ctx, url, x.tel.Logger())
			})
		},
		"rebuild":     func() error { return rebuildCommand(ctx, args, t) },
		"verify":      func() error { return verifyCommand(ctx, args, t) },
		"retry":       func() error { return retryCommand(ctx, args, t) },
		"healthcheck": func() error { return healthcheck(ctx, t) },
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

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// tools are what a command on the database works with.
type tools struct {
	cfg   Config
	tel   *telemetry.Telemetry
	store *storage
}

// withTools runs fn with an open database; its log goes to the terminal's error stream.
func withTools(ctx context.Context, t Terminal, fn func(tools) error) error {
	cfg, err := boot.LoadConfig[Config](t.Environ)
	if err != nil {
		return err
	}
	cfg = named(cfg, Deps{Log: t.Err})
	tel, err := telemetry.Start(ctx, cfg.Telemetry)
	if err != nil {
		return err
	}
	cfg.Database.StatementTimeout = cfg.API.VerifyTimeout // a command may take its time
	store, err := openStorage(ctx, cfg, tel)
	if err != nil {
		return errors.Join(err, tel.Shutdown(context.WithoutCancel(ctx)))
	}
	stop := context.WithoutCancel(ctx)
	return errors.Join(fn(tools{cfg, tel, store}), store.close(stop), tel.Shutdown(stop))
}

func rebuildCommand(ctx context.Context, args []string, t Terminal) error {
	flags := flag.NewFlagSet("rebuild", flag.ContinueOnError)
	flags.SetOutput(t.Err)
	fresh := flags.Bool("fresh", false, "start over instead of going on where an interrupted rebuild stopped")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return withTools(ctx, t, func(x tools) error {
		out, err := consumer.Rebuild(ctx, x.store.background, x.store.leases, x.cfg.Consumer.Lease.Holder, *fresh, x.tel.Logger())
		if err != nil {
			return err
		}
		return printLine(t.Out, fmt.Sprintf("rebuilt: generation %d at position %d, %d events parked", out.Generation, out.Pos, out.Parked))
	})
}

// errDifferent makes the verify command fail when there are differences.
var errDifferent = errors.New("the projections differ from the recount; \"stats-service rebuild\" makes them anew")

func verifyCommand(ctx context.Context, args []string, t Terminal) error {
	const findings = 100
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.SetOutput(t.Err)
	limit := flags.Int("limit", findings, "how many differences to list; all are counted")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return withTools(ctx, t, func(x tools) error {
		found, err := x.store.background.Verify(ctx, *limit)
		if err != nil {
			return err
		}
		if err := printJSON(t.Out, found); err != nil {
			return err
		}
		if found.Count > 0 {
			return errDifferent
		}
		return nil
	})
}

// retryAllLimit is how many parked tasks one "retry -all" takes.
const retryAllLimit = 10_000

func retryCommand(ctx context.Context, args []string, t Terminal) error {
	flags := flag.NewFlagSet("retry", flag.ContinueOnError)
	flags.SetOutput(t.Err)
	all := flags.Bool("all", false, "everything that is parked, the oldest first")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var ids []uuid.UUID
	for _, arg := range flags.Args() {
		id, err := uuid.Parse(arg)
		if err != nil {
			return fmt.Errorf("%q is not an id", arg)
		}
		ids = append(ids, id)
	}
	if *all == (len(ids) > 0) {
		return errors.New("name ids of tasks or projects, or -all")
	}
	return withTools(ctx, t, func(x tools) error {
		if *all {
			status, err := x.store.background.Status(ctx, retryAllLimit)
			if err != nil {
				return err
			}
			for _, p := range status.Parked {
				ids = append(ids, p.ID)
			}
		}
		for _, id := range ids {
			out, err := consumer.Retry(ctx, x.store.background, nil, id)
			if err != nil {
				return err
			}
			if err := printLine(t.Out, fmt.Sprintf("%s: %d applied, %d stay parked %s", id, out.Applied, out.Remaining, out.Reason)); err != nil {
				return err
			}
		}
		return nil
	})
}

// healthcheck asks /health of the service that listens on LISTEN. Images without a shell call it.
func healthcheck(ctx context.Context, t Terminal) error {
	cfg, err := boot.LoadConfig[struct {
		Listen string `env:"LISTEN" envDefault:"127.0.0.1:8081"`
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
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	const longest = 64 << 10 // bytes of the answer that are shown
	body, err := io.ReadAll(io.LimitReader(res.Body, longest))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not healthy: %s %s", res.Status, body)
	}
	return nil
}
