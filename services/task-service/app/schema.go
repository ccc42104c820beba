package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/access/migrations"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store"
)

// Migrate brings the schemas of access and of this service up to date. Replicas may call it at once. It fails with
// db.ErrSchemaNewer if a newer program has migrated the database.
func Migrate(ctx context.Context, databaseURL string, log *slog.Logger) error {
	return store.Migrate(ctx, databaseURL, log)
}

// prepareSchema returns when the schema is current: after migrating it, or after waiting for another to do so. While the
// database is away it goes on trying. looked is called after the first attempt.
func prepareSchema(ctx context.Context, cfg Config, s *storage, log *slog.Logger, looked func()) error {
	held := false
	for {
		err := attemptSchema(ctx, cfg, s, log)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, errSchemaBehind) && !db.IsUnavailable(err) && !errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("prepare the database: %w", err)
		case !held:
			held = true
			log.WarnContext(ctx, "not ready; trying again until the database is", "error", err)
		}
		looked()
		if err := pause(ctx, cfg.SchemaPoll); err != nil {
			return err
		}
	}
}

// errSchemaBehind says that somebody else still has to migrate.
var errSchemaBehind = errors.New("the schema is not current; waiting for the migrations to be applied")

func attemptSchema(ctx context.Context, cfg Config, s *storage, log *slog.Logger) error {
	if cfg.Migrate {
		url, err := cfg.Database.ResolvedURL()
		if err != nil {
			return fmt.Errorf("database URL: %w", err)
		}
		return Migrate(ctx, url, log)
	}
	return schemaCurrent(ctx, cfg, s)
}

// schemaTimeout bounds one look at the schema.
const schemaTimeout = 5 * time.Second

func schemaCurrent(ctx context.Context, cfg Config, s *storage) error {
	ctx, cancel := context.WithTimeout(ctx, schemaTimeout)
	defer cancel()
	if err := s.ping(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	access, own, err := store.Migrations(cfg.Database.URL)
	if err != nil {
		return err
	}
	if err := tableCurrent(ctx, s, migrations.Table, access); err != nil {
		return err
	}
	return tableCurrent(ctx, s, store.OwnTable, own)
}

func tableCurrent(ctx context.Context, s *storage, table string, files fs.FS) error {
	want, err := db.WantedVersion(files)
	if err != nil {
		return err
	}
	have, err := s.schemaVersion(ctx, table)
	switch {
	case err != nil && db.IsUnavailable(err):
		return err
	case err != nil: // the table is not there yet
		return fmt.Errorf("%w: %w", errSchemaBehind, err)
	case have < want:
		return fmt.Errorf("%w: %s is at version %d of %d", errSchemaBehind, table, have, want)
	}
	return nil
}
