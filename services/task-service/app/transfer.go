package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// withDomain runs fn with the use cases on the configured database, without a server and without NATS: the relay of a
// running service finds what fn commits by itself.
func withDomain(ctx context.Context, t Terminal, fn func(*domain) error) (err error) {
	cfg, err := boot.LoadConfig[Config](t.Environ)
	if err != nil {
		return err
	}
	cfg = cfg.named(Deps{Log: t.Err})
	if os.Getenv("LOG_LEVEL") == "" {
		cfg.Telemetry.LogLevel = "warn" // the command speaks for itself
	}
	tel, err := telemetry.Start(ctx, cfg.Telemetry)
	if err != nil {
		return err
	}
	closer := &boot.Closer{Log: tel.Logger()}
	defer func() { err = errors.Join(err, closer.Close(context.WithoutCancel(ctx))) }()
	closer.Add("telemetry", partTimeout, tel.Shutdown)
	store, err := openStorage(ctx, cfg, tel)
	if err != nil {
		return err
	}
	closer.Add("database pools", partTimeout, store.close)
	wait, err := schemaWait(cfg, store)
	if err != nil {
		return err
	}
	if err := wait.Once(ctx, tel.Logger()); err != nil {
		return fmt.Errorf("prepare the database: %w", err)
	}
	domain := newDomain(cfg, store, func() {})
	closer.Add("queued changes", partTimeout, domain.close)
	return fn(domain)
}

// columns collects -map field=column.
type columns map[string]string

func (c columns) String() string { return "" }

func (c columns) Set(value string) error {
	field, column, ok := strings.Cut(value, "=")
	if !ok || field == "" || column == "" {
		return errors.New("must have the form field=column, such as title=Summary")
	}
	c[field] = column
	return nil
}

func importCommand(ctx context.Context, args []string, t Terminal) error {
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	flags.SetOutput(t.Err)
	flags.Usage = func() {
		fmt.Fprintln(t.Err, "Usage: task-service import -project KEY [options] FILE   (FILE - is standard input)")
		flags.PrintDefaults()
	}
	o := importer.Options{Columns: columns{}, Progress: showProgress(t.Err)}
	key := flags.String("project", "", "key of the project, which exists, such as WEB")
	format := flags.String("format", string(importer.CSV), "csv, jira-changelog or tallyboard")
	zone := flags.String("zone", "UTC", "time zone of dates without one, such as Europe/Berlin")
	invalid := flags.String("invalid-dates", string(importer.Refuse), "refuse or clamp rows that finish before they were created")
	flags.BoolVar(&o.DryRun, "dry-run", false, "say what would be imported, and change nothing")
	flags.StringVar(&o.DateFormat, "date-format", "", "how dates are written, as Go writes 2 January 2006 15:04:05")
	flags.Var(columns(o.Columns), "map", "field=column: which column holds a field (may be repeated)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *key == "" || flags.NArg() != 1 {
		return errors.New("import needs -project KEY and one file; see task-service import -h")
	}
	var err error
	if o.Zone, err = time.LoadLocation(*zone); err != nil {
		return fmt.Errorf("-zone: %w", err)
	}
	o.Format, o.InvalidDates = importer.Format(*format), importer.InvalidDates(*invalid)
	in, closeIn, err := openInput(flags.Arg(0), t.In)
	if err != nil {
		return err
	}
	err = withDomain(ctx, t, func(d *domain) error {
		report, err := d.importer.Import(ctx, task.Write{Actor: access.OwnerID}, strings.ToUpper(*key), in, o)
		if err != nil && report.Rows == 0 {
			return forTerminal(err)
		}
		fmt.Fprintln(t.Err) // ends the line of the progress
		return errors.Join(printReport(t.Out, report), forTerminal(err))
	})
	return errors.Join(err, closeIn())
}

func exportCommand(ctx context.Context, args []string, t Terminal) error {
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	flags.SetOutput(t.Err)
	key := flags.String("project", "", "key of the project, such as WEB")
	format := flags.String("format", "json", "json (complete, can be imported again) or csv (a row per task)")
	to := flags.String("o", "-", "file to write; - is standard output")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *key == "" || flags.NArg() != 0 || (*format != "json" && *format != "csv") {
		return errors.New("export needs -project KEY, and -format json or csv; see task-service export -h")
	}
	return withDomain(ctx, t, func(d *domain) error {
		out, closeOut, err := openOutput(*to, t.Out)
		if err != nil {
			return err
		}
		if *format == "csv" {
			err = d.exporter.CSV(ctx, out, strings.ToUpper(*key))
		} else {
			err = d.exporter.JSON(ctx, out, strings.ToUpper(*key), access.OwnerID)
		}
		return errors.Join(forTerminal(err), closeOut())
	})
}

func openInput(name string, stdin io.Reader) (io.Reader, func() error, error) {
	if name == "-" {
		return stdin, func() error { return nil }, nil
	}
	f, err := os.Open(name) //nolint:gosec // the file the caller of the command names
	if err != nil {
		return nil, nil, fmt.Errorf("open import: %w", err)
	}
	return f, f.Close, nil
}

func openOutput(name string, stdout io.Writer) (io.Writer, func() error, error) {
	if name == "-" {
		return stdout, func() error { return nil }, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // likewise
	if err != nil {
		return nil, nil, fmt.Errorf("open export: %w", err)
	}
	return f, f.Close, nil
}

// forTerminal returns the message for people of an error that has one.
func forTerminal(err error) error {
	if e, ok := apperr.As(err); ok && e.Message != "" {
		return errors.New(e.Message) // the cause is for the log
	}
	return err
}

// showProgress rewrites one line of a terminal.
func showProgress(w io.Writer) func(importer.Progress) {
	return func(p importer.Progress) {
		fmt.Fprintf(w, "\r%d rows read, %d tasks", p.Rows, p.Tasks)
	}
}

// printReport prints what an import did, or would do.
func printReport(w io.Writer, r importer.Report) error {
	did := "imported"
	if r.DryRun {
		did = "would be imported"
	}
	for _, count := range []struct {
		n    int64
		what string
	}{
		{r.Rows, "rows read"},
		{r.Tasks, "tasks " + did},
		{r.Events, "events with them"},
		{r.Known, "tasks known from an earlier import"},
		{r.Clamped, "rows that finished before they were created, put right"},
		{r.RefusedRows, "rows refused"},
	} {
		if _, err := fmt.Fprintf(w, "%9d %s\n", count.n, count.what); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	}
	for _, list := range []struct {
		what  string
		names []string
	}{{"people", r.People}, {"states", r.States}, {"labels", r.Labels}, {"columns not used", r.UnusedColumns}} {
		if len(list.names) > 0 {
			fmt.Fprintf(w, "%s: %s\n", list.what, strings.Join(list.names, ", "))
		}
	}
	for _, refused := range r.Refused {
		fmt.Fprintf(w, "line %d %s: %s\n", refused.Line, refused.ID, refused.Reason)
	}
	if more := r.RefusedRows - int64(len(r.Refused)); more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
	return nil
}
