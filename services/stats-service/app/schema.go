package app

import (
	"context"
	"log/slog"

	access "github.com/tallyboard/tallyboard/services/internal/access/migrations"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	mysqlschema "github.com/tallyboard/tallyboard/services/stats-service/internal/store/mysql/migrations"
	postgresschema "github.com/tallyboard/tallyboard/services/stats-service/internal/store/postgres/migrations"
)

// schemas returns the migrations of an engine in the order they are applied. Those of task-service, whose tables are
// read, are its own business.
func schemas(engine db.Engine) []db.Schema {
	if engine == db.Postgres {
		return []db.Schema{{Table: access.Table, Files: access.Postgres()}, {Table: postgresschema.Table, Files: postgresschema.Files}}
	}
	return []db.Schema{{Table: access.Table, Files: access.MySQL()}, {Table: mysqlschema.Table, Files: mysqlschema.Files}}
}

// Migrate brings the schemas of access and of this service up to date. Replicas may call it at once. It fails with
// db.ErrSchemaNewer if a newer program has migrated the database.
func Migrate(ctx context.Context, databaseURL string, log *slog.Logger) error {
	engine, err := db.EngineOf(databaseURL)
	if err != nil {
		return err
	}
	return db.MigrateAll(ctx, databaseURL, schemas(engine), log)
}

// prepareSchema returns when the schema is current and task-service's tables are there; see db.AwaitSchema.
func prepareSchema(ctx context.Context, cfg Config, store *storage, log *slog.Logger, looked func()) error {
	return db.AwaitSchema(ctx, db.SchemaWait{
		Config: cfg.Database, Schemas: schemas(store.engine), Migrate: cfg.Migrate, Poll: cfg.SchemaPoll, Ping: store.ping, Version: store.schemaVersion,
		Also: func(ctx context.Context) error { _, err := store.background.Head(ctx); return err },
	}, log, looked)
}
