package cluster

import "database/sql"

// OpenDatabase returns connections of the drill's own, past the proxies, to another database of the server.
func (d *Database) OpenDatabase(name string) (*sql.DB, error) { return d.open(name) }
