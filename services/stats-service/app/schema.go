package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	access "github.com/tallyboard/tallyboard/services/internal/access/migrations"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	mysqlschema "github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql/migrations"
	postgresschema "github.com/tallyboard/tallyboard/services/stats-service/internal/store/postgres/migrations"
)

// schema is one set of migrations that the service needs.
type schema struct {
	table string
	files fs.FS
}

// schemas returns the migrations of an engine in the order they are applied. Those of task-service, whose tables are
// read, are its own business.
func schemas(engine db.Engine) []schema {
	if engine == db.Postgres {
		return []schema{{access.Table, access.Postgres()}, {postgresschema.Table, postgresschema.Files}}
	}
	return []schema{{access.Table, access.MySQL()}, {mysqlschema.Table, mysqlschema.Files}}
}

// Migrate brings the schemas of access and of this service up to date. Replicas may call it at once. It fails with
// db.ErrSchemaNewer if a newer program has migrated the database.
func Migrate(ctx context.Context, databaseURL string, log *slog.Logger) error {
	engine, err := db.EngineOf(databaseURL)
	if err != nil {
		return err
	}
	for _, s := range schemas(engine) {
		if err := db.Migrate(ctx, databaseURL, s.table, s.files, log); err != nil {
			return err
		}
	}
	return nil
}

// prepareSchema returns when the schema is current and task-service's tables are there: after migrating, or after
// waiting for another to do so. While the database is away it goes on trying. looked is called after the first attempt.
func prepareSchema(ctx context.Context, cfg Config, store *storage, log *slog.Logger, looked func()) error {
	held := false
	for {
		err := attemptSchema(ctx, cfg, store, log)
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

// schemaTimeout bounds one look at the schema.
const schemaTimeout = 5 * time.Second

func attemptSchema(ctx context.Context, cfg Config, store *storage, log *slog.Logger) error {
	if cfg.Migrate {
		url, err := cfg.Database.ResolvedURL()
		if err != nil {
			return err
		}
		if err := Migrate(ctx, url, log); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, schemaTimeout)
	defer cancel()
	if err := store.ping(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	for _, s := range schemas(store.engine) {
		want, err := db.WantedVersion(s.files)
		if err != nil {
			return err
		}
		have, err := store.schemaVersion(ctx, s.table)
		switch {
		case err != nil && db.IsUnavailable(err):
			return err
		case err != nil: // the table is not there yet
			return fmt.Errorf("%w: %w", errSchemaBehind, err)
		case have < want:
			return fmt.Errorf("%w: %s is at version %d of %d", errSchemaBehind, s.table, have, want)
		}
	}
	if _, err := store.background.Head(ctx); err != nil && !db.IsUnavailable(err) {
		return fmt.Errorf("%w: task-service's tables: %w", errSchemaBehind, err)
	} else if err != nil {
		return err
	}
	return nil
}
