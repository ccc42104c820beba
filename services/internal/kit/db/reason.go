package db

import (
	"errors"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallyboard/tallyboard/services/internal/kit/certs"
)

// Server error numbers of MySQL and MariaDB by which a server refuses whoever connects.
const (
	myDatabaseDenied     = 1044
	myAccessDenied       = 1045
	myUnknownDatabase    = 1049
	myAccessDeniedSocket = 1698
	myAccessDeniedPlain  = 1251 // the client's way to authenticate is too old
	myPasswordExpired    = 1862
	myTLSDemanded        = 3159 // MySQL: require_secure_transport
	myAccountLocked      = 3118 // MySQL
	myAccountLockedMaria = 4151 // MariaDB
)

// IsRefused reports whether the server answers but lets this identity in no more: a wrong or expired password, a user that
// is locked, or has no right to the database, or a database that is not there. Somebody has to put it right; services wait.
func IsRefused(err error) bool {
	switch myNumber(err) {
	case myDatabaseDenied, myAccessDenied, myUnknownDatabase, myAccessDeniedSocket, myAccessDeniedPlain, myPasswordExpired,
		myTLSDemanded, myAccountLocked, myAccountLockedMaria:
		return true
	}
	code := pgCode(err)
	return strings.HasPrefix(code, "28") || code == "3D000"
}

// IsReadOnly reports whether the server takes no changes at the moment: it was told so, or it is a replica, as the former
// writer is after a fail-over.
func IsReadOnly(err error) bool {
	switch myNumber(err) {
	case myReadOnlyOption, myReadOnlyTransaction, myReadOnlyMode:
		return true
	}
	return pgCode(err) == "25006"
}

// Reason says in a sentence for operators why the database cannot be used, as far as the error tells more than that it
// cannot be reached; otherwise it is empty. It holds no address, no name of a user and no secret.
func Reason(err error) string {
	if problem, is := certs.Problem(err); is {
		return "the database's certificate " + problem
	}
	if isFull(err) {
		return "the database's disk is full"
	}
	switch myNumber(err) {
	case myDatabaseDenied:
		return "the database refuses this service: its user has no right to it"
	case myUnknownDatabase:
		return "there is no database of this name on the server"
	case myAccountLocked, myAccountLockedMaria:
		return "the database refuses this service: its user is locked"
	case myPasswordExpired:
		return "the database refuses this service: its password has expired"
	}
	switch {
	case tlsDemanded(err):
		return "the database demands TLS: name its certificate authorities in DATABASE_CA_FILE"
	case pgCode(err) == "3D000":
		return "there is no database of this name on the server"
	case IsRefused(err):
		return "the database refuses this service: wrong user or password"
	case IsReadOnly(err):
		return "the database takes no changes: it is read-only"
	case tlsMissing(err):
		return "the database offers no TLS, which is demanded"
	}
	return ""
}

// tlsDemanded reports whether the server refused a connection for being plain. PostgreSQL says so in words only.
func tlsDemanded(err error) bool {
	e, is := errors.AsType[*pgconn.PgError](err)
	return myNumber(err) == myTLSDemanded || is && e.Code == "28000" && strings.HasSuffix(e.Message, "no encryption")
}

// tlsMissing reports whether the server has no TLS to offer. pgx says so in words only.
func tlsMissing(err error) bool {
	return err != nil && (errors.Is(err, mysql.ErrNoTLS) || strings.Contains(err.Error(), "server refused TLS connection"))
}
