// Package migrations holds task-service's schema for MySQL and MariaDB. It is applied after the one of package access.
package migrations

import "embed"

// Table in which goose records what has been applied.
const Table = "goose_task"

// Files are the goose migrations.
//
//go:embed *.sql
var Files embed.FS
