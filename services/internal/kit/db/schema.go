package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
)

// Schema is one set of migrations, recorded in a goose table of its own.
type Schema struct {
	Table string
	Files fs.FS
}

// MigrateAll brings several schemas up to date, in order; see Migrate.
func MigrateAll(ctx context.Context, url string, schemas []Schema, log *slog.Logger) error {
	for _, s := range schemas {
		if err := Migrate(ctx, url, s.Table, s.Files, log); err != nil {
			return err
		}
	}
	return nil
}

// ErrSchemaBehind says that somebody else still has to migrate.
var ErrSchemaBehind = errors.New("the schema is not current; waiting for the migrations to be applied")

// SchemaWait is what waiting for a current schema needs.
type SchemaWait struct {
	Config  Config
	Schemas []Schema
	Migrate bool                                                   // bring it up to date, rather than wait for another
	Poll    time.Duration                                          // between two looks
	Ping    func(context.Context) error                            // reaches the database
	Version func(ctx context.Context, table string) (int64, error) // applied so far
	Also    func(context.Context) error                            // another condition; may be nil
}

// AwaitSchema returns when the schemas are current: after migrating them, or after waiting for another to do so. While the
// database is away, or refuses this service, it goes on trying, and says each new reason once. looked is called after each
// attempt that did not succeed. It fails with ErrSchemaNewer, and with whatever waiting does not mend.
func AwaitSchema(ctx context.Context, w SchemaWait, log *slog.Logger, looked func()) error {
	told := map[string]bool{}
	for {
		err := w.Once(ctx, log)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, ErrSchemaBehind) && !IsUnavailable(err) && !errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("prepare the database: %w", err)
		case !told[Reason(err)]:
			reason := Reason(err)
			told[reason] = true
			attrs := []any{"error", err}
			if reason != "" {
				attrs = append(attrs, "reason", reason)
			}
			log.WarnContext(ctx, "not ready; trying again until the database is", attrs...)
		}
		looked()
		if err := boot.Pause(ctx, w.Poll); err != nil {
			return err
		}
	}
}

// schemaTimeout bounds one look at the schema.
const schemaTimeout = 5 * time.Second

// Once looks, or migrates, one time. It fails with ErrSchemaBehind if somebody else still has to migrate.
func (w SchemaWait) Once(ctx context.Context, log *slog.Logger) error {
	if w.Migrate {
		url, err := w.Config.ResolvedURL()
		if err != nil {
			return fmt.Errorf("database URL: %w", err)
		}
		if err := MigrateAll(ctx, url, w.Schemas, log); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, schemaTimeout)
	defer cancel()
	if err := w.Ping(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	for _, s := range w.Schemas {
		if err := w.current(ctx, s); err != nil {
			return err
		}
	}
	if w.Also == nil {
		return nil
	}
	if err := w.Also(ctx); err != nil && !IsUnavailable(err) {
		return fmt.Errorf("%w: %w", ErrSchemaBehind, err)
	} else if err != nil {
		return err
	}
	return nil
}

// toleratedVersions is how many migrations ahead a schema may be for a program that only serves. A release adds one
// migration at most, and what it changes leaves the release before it working (docs/deployment.md, "What a release may
// change"): during a rolling update, replicas of the release before run on the new schema, and start there again after a
// crash. Beyond that nothing is promised, and a program that migrates tolerates nothing.
const toleratedVersions = 1

func (w SchemaWait) current(ctx context.Context, s Schema) error {
	want, err := WantedVersion(s.Files)
	if err != nil {
		return err
	}
	have, err := w.Version(ctx, s.Table)
	switch {
	case err != nil && IsUnavailable(err):
		return err
	case err != nil: // the table is not there yet
		return fmt.Errorf("%w: %w", ErrSchemaBehind, err)
	case have < want:
		return fmt.Errorf("%w: %s is at version %d of %d", ErrSchemaBehind, s.Table, have, want)
	case have > want+toleratedVersions:
		return newer(s.Table, have, want)
	}
	return nil
}
