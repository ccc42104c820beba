package app

import (
	"context"
	"log/slog"

	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store"
)

// Migrate brings the schemas of access and of this service up to date. Replicas may call it at once. It fails with
// db.ErrSchemaNewer if a newer program has migrated the database.
func Migrate(ctx context.Context, databaseURL string, log *slog.Logger) error {
	return store.Migrate(ctx, databaseURL, log)
}

// schemaWait says how the service gets a current schema: by migrating, or by waiting for another to do so.
func schemaWait(cfg Config, s *storage) (db.SchemaWait, error) {
	schemas, err := store.Schemas(cfg.Database.URL)
	return db.SchemaWait{
		Config: cfg.Database, Schemas: schemas, Migrate: cfg.Migrate, Poll: cfg.SchemaPoll, Ping: s.ping, Version: s.schemaVersion,
	}, err
}

// prepareSchema returns when the schema is current.
func prepareSchema(ctx context.Context, cfg Config, s *storage, log *slog.Logger, looked func()) error {
	wait, err := schemaWait(cfg, s)
	if err != nil {
		return err
	}
	return db.AwaitSchema(ctx, wait, log, looked)
}
