package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/certs"
)

// retryAfterUnavailable is what a caller is told when the database is away.
const retryAfterUnavailable = 2 * time.Second

// retryAfterBusy is what a caller is told when it lost against concurrent transactions.
const retryAfterBusy = time.Second

// RetryTx waits between retryBackoff/2 and retryBackoff·2^attempt, up to maxRetryBackoff.
const (
	retryBackoff    = 5 * time.Millisecond
	maxRetryBackoff = 200 * time.Millisecond
)

// Server error numbers of MySQL and MariaDB. Where the two differ, both stand here.
const (
	myTooManyConnections     = 1040
	myServerShutdown         = 1053
	myDuplicateEntry         = 1062
	myTooManyUserConnections = 1203
	myLockWaitTimeout        = 1205
	myDeadlock               = 1213
	myUserLimit              = 1226
	myReadOnlyOption         = 1290
	myQueryInterrupted       = 1317
	myReadOnlyTransaction    = 1792
	myReadOnlyMode           = 1836
	myMaxExecutionTime       = 3024 // MySQL
	myStatementTimeMaria     = 1969 // MariaDB
	myLockNowait             = 3572 // MySQL; MariaDB answers NOWAIT with 1205
	myCheckViolation         = 3819 // MySQL
	myCheckViolationMaria    = 4025 // MariaDB
	myConnectionKilled       = 1927 // MariaDB
	myServerGone             = 4031 // MySQL: disconnected by the server for inactivity
	myRecordChanged          = 1020 // MariaDB 11.6+: snapshot conflict
	myTableChanged           = 1412 // by a migration, after the transaction's snapshot was taken
	myWriteFailed            = 3    // of the file layer: error writing a file
	myDiskFull               = 1021 // waits for somebody to make room
	myErrorOnWrite           = 1026 // of the file layer as well
	myStorageEngine          = 1030 // any error of a storage engine, with the system's number in its text
	myTableFull              = 1114 // InnoDB's word for a disk that is full; of a temporary table, for too little memory or room in /tmp
	myBinlogImpossible       = 1598
	myForeignKeyParent       = 1451
	myForeignKeyChild        = 1452
)

// IsDuplicate reports whether a unique key refused a row.
func IsDuplicate(err error) bool {
	return myNumber(err) == myDuplicateEntry || pgCode(err) == "23505"
}

// IsCheckViolation reports whether a CHECK constraint refused a row.
func IsCheckViolation(err error) bool {
	n := myNumber(err)
	return n == myCheckViolation || n == myCheckViolationMaria || pgCode(err) == "23514"
}

// IsForeignKey reports whether a foreign key refused a row.
func IsForeignKey(err error) bool {
	n := myNumber(err)
	return n == myForeignKeyParent || n == myForeignKeyChild || pgCode(err) == "23503"
}

// IsRetryable reports whether the same transaction may well succeed when run again: deadlock, serialization failure,
// lock timeout or NOWAIT refusal, or a migration that changed a table under a snapshot. The transaction is rolled back,
// except on MySQL's lock timeout, where only the statement is; callers roll back in any case.
func IsRetryable(err error) bool {
	switch myNumber(err) {
	case myDeadlock, myLockWaitTimeout, myLockNowait, myRecordChanged, myTableChanged:
		return true
	}
	switch pgCode(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	return false
}

// IsUnavailable reports whether the database could not be reached, is starting or stopping, has no connection left, lets
// this service in no more (see IsRefused), cannot write (its disk is full, or broken), shows a certificate that is not
// trusted, or is read-only (a failover is under way). Nothing is known then about whether a COMMIT in flight was done.
func IsUnavailable(err error) bool {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return apperr.Is(err, apperr.Unavailable)
	case apperr.Is(err, apperr.Unavailable),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return true
	}
	if IsRefused(err) || IsReadOnly(err) || cannotWrite(err) || isConnectionBroken(err) {
		return true
	}
	switch myNumber(err) {
	case myTooManyConnections, myServerShutdown, myTooManyUserConnections, myUserLimit, myConnectionKilled, myServerGone:
		return true
	}
	if code := pgCode(err); code != "" {
		// 08 connection exception, 53 insufficient resources, 57P0x shutdown and start, 25P03 Config.TransactionIdle
		return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "57P") || code == "25P03"
	}
	if _, bad := certs.Problem(err); bad || tlsMissing(err) {
		return true
	}
	var connect *pgconn.ConnectError
	var network net.Error
	var pgDown interface{ SafeToRetry() bool } // pgconn: the connection was dead before anything was sent
	return errors.As(err, &connect) || errors.As(err, &network) || (errors.As(err, &pgDown) && pgDown.SafeToRetry()) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "closed pool")
}

// Classify turns a driver's error into what the caller of the API can act on; the driver's error stays its cause.
//
//   - nil stays nil, and an *apperr.Error stays as it is;
//   - an ended context is Timeout or Canceled, whatever the driver made of it;
//   - an unreachable database is Unavailable with RetryAfter, and so is one that takes no changes;
//   - lost lock races that outlived RetryTx are Unavailable with RetryAfter;
//   - a statement that exceeded its time limit is Timeout;
//   - everything else, also a duplicate or no row, is returned as it came: only the store knows its meaning.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := apperr.As(err); ok {
		return err
	}
	switch {
	case errors.Is(err, context.Canceled):
		return apperr.Wrap(err, apperr.Canceled, "the request was cancelled")
	case errors.Is(err, context.DeadlineExceeded), isStatementTimeout(err):
		return apperr.Wrap(err, apperr.Timeout, "the database did not answer in time")
	case IsReadOnly(err):
		return apperr.Wrap(err, apperr.Unavailable, "changes cannot be saved at the moment: the database is read-only").WithRetryAfter(retryAfterUnavailable)
	case IsUnavailable(err):
		return apperr.Wrap(err, apperr.Unavailable, "the database is not available").WithRetryAfter(retryAfterUnavailable)
	case IsRetryable(err):
		return apperr.Wrap(err, apperr.Unavailable, "too many changes to the same thing at once").WithRetryAfter(retryAfterBusy)
	}
	return err
}

// noSpace is how servers say why a write failed: in words of their own, and with the system's number 28 (ENOSPC), which MySQL
// calls "errno: 28" or "OS errno 28" and MariaDB "Errcode: 28".
var noSpace = regexp.MustCompile(`(?i)no space left on device|disk is full|\berr(no|code):? 28\b`)

// temporaryTable is how servers name a table that only a statement needs.
var temporaryTable = regexp.MustCompile(`#sql|/tmp`)

// isFull reports whether the server could not write because its disk is full. PostgreSQL's 53100 is one of class 53.
func isFull(err error) bool {
	switch myNumber(err) {
	case myDiskFull:
		return true
	case myTableFull:
		return !temporaryTable.MatchString(err.Error())
	case myWriteFailed, myErrorOnWrite, myStorageEngine, myBinlogImpossible:
		return noSpace.MatchString(err.Error())
	}
	return pgCode(err) == "53100"
}

// cannotWrite reports whether the server could not write, for whatever reason: its operators have to see to that, and
// nothing is wrong with the statement.
func cannotWrite(err error) bool {
	switch myNumber(err) {
	case myWriteFailed, myErrorOnWrite, myTableFull, myBinlogImpossible:
		return true
	}
	return isFull(err)
}

// connectionExceptions is the class of SQL states that servers give to a connection that broke under them: MySQL tells it
// with its last words (1158 to 1161), where the other direction still works.
const connectionExceptions = "08"

// isConnectionBroken knows the driver's word for it, too: an answer was left half read when the connection broke, and so the
// statement, or COMMIT, was not sent. The driver checks for that before it writes.
func isConnectionBroken(err error) bool {
	if errors.Is(err, mysql.ErrBusyBuffer) {
		return true
	}
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && strings.HasPrefix(string(e.SQLState[:]), connectionExceptions)
}

func isStatementTimeout(err error) bool {
	switch myNumber(err) {
	case myMaxExecutionTime, myStatementTimeMaria, myQueryInterrupted:
		return true
	}
	return pgCode(err) == "57014"
}

// RetryTx runs fn, and again while its error IsRetryable, up to attempts times in all with growing, jittered pauses. fn
// is one whole transaction: it begins, and rolls back on error. The last error is returned as it came.
func RetryTx(ctx context.Context, attempts int, fn func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := fn(ctx)
		if err == nil || attempt >= attempts || !IsRetryable(err) {
			return err
		}
		ceiling := min(retryBackoff<<min(attempt, 16), maxRetryBackoff)
		pause := retryBackoff/2 + rand.N(ceiling) //nolint:gosec // jitter needs no secrecy
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		case <-timer.C:
		}
	}
}

func myNumber(err error) uint16 {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number
	}
	return 0
}

func pgCode(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}
