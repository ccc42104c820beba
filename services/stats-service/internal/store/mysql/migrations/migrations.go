// Package migrations holds the schema that stats-service owns. It is applied after those of access and task-service.
package migrations

import "embed"

// Table in which goose records what has been applied.
const Table = "goose_stats"

// Files are the migrations, in order.
//
//go:embed *.sql
var Files embed.FS
