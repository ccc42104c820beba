// Package migrations holds the schema of people and members for both engines. It is applied before the schemas of the
// services, under the goose table [Table].
package migrations

import (
	"embed"
	"io/fs"
)

// Table in which goose records what has been applied.
const Table = "goose_access"

//go:embed mysql/*.sql postgres/*.sql
var files embed.FS

// MySQL returns the migrations for MySQL and MariaDB.
func MySQL() fs.FS { return sub("mysql") }

// Postgres returns the migrations for PostgreSQL.
func Postgres() fs.FS { return sub("postgres") }

func sub(dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the names are constants that go:embed has checked
	}
	return f
}
