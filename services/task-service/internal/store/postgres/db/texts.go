// Package pgdb is what sqlc makes of the queries, but for this file.
package pgdb

// Texts of statements that are sent together with others, see package postgres.
const (
	LockCountersText = lockCounters
	LastRankText     = lastRank
)
