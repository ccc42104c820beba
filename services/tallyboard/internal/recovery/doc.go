// Package recovery holds the tests of backups: the very scripts behind `make backup` and `make restore`
// (deploy/compose/stack.sh), run against real servers of both engines without Docker. In Docker's place stands a program
// that runs what the scripts run in the database's container as a process on this machine.
package recovery
