// Package testkit gives tests the real servers they need: a fresh database on MySQL, MariaDB or PostgreSQL for each test,
// and a NATS server with JetStream inside the test process that can be stopped, restarted and wiped.
//
// Database servers come from servers.sh beside this file, which finds or fetches one per engine; `make test` starts
// them once and hands their URLs over in TEST_MYSQL_URL, TEST_MARIADB_URL and TEST_POSTGRES_URL. Without these
// variables the first test that needs an engine runs the script itself, so that plain `go test` works too; the server
// then keeps running for the next time (servers.sh stop all ends it). A server that cannot be had fails the test;
// nothing here ever skips.
//
// Databases are created with the settings production asks for (utf8mb4, utf8mb4_unicode_ci; UTF-8) and dropped when
// the test ends. Close pools in the test's own cleanups: a connection still open then fails the test as a leak on
// MySQL and MariaDB, where it would block the drop.
package testkit
