package db

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

func TestClassifyKnowsTheErrorNumbers(t *testing.T) {
	t.Parallel()
	my := func(n uint16) error { return fmt.Errorf("op: %w", &mysql.MySQLError{Number: n, Message: "secret"}) }
	pg := func(code string) error { return fmt.Errorf("op: %w", &pgconn.PgError{Code: code, Message: "secret"}) }
	stale := apperr.New(apperr.Stale, "changed")
	for _, c := range []struct {
		err  error
		want apperr.Code
	}{
		{nil, ""}, {stale, apperr.Stale}, {fmt.Errorf("x: %w", stale), apperr.Stale},
		{my(1040), apperr.Unavailable}, {my(1053), apperr.Unavailable}, {my(1203), apperr.Unavailable}, {my(1290), apperr.Unavailable},
		{my(1836), apperr.Unavailable}, {my(1792), apperr.Unavailable}, {my(1927), apperr.Unavailable}, {my(4031), apperr.Unavailable},
		{my(3), apperr.Unavailable}, {my(1021), apperr.Unavailable}, {my(1026), apperr.Unavailable}, {my(1114), apperr.Unavailable}, {my(1598), apperr.Unavailable},
		{&mysql.MySQLError{Number: 1030, Message: "Got error 168 - 'Unknown (generic) error from engine' from storage engine"}, apperr.Internal},
		{&mysql.MySQLError{Number: 1030, Message: "Got error 28 - 'No space left on device' from storage engine"}, apperr.Unavailable},
		{pg("53100"), apperr.Unavailable},
		{mysql.ErrBusyBuffer, apperr.Unavailable},
		{&mysql.MySQLError{Number: 1158, SQLState: [5]byte([]byte("08S01")), Message: "Got an error reading communication packets"}, apperr.Unavailable},
		{my(1205), apperr.Unavailable}, {my(1213), apperr.Unavailable}, {my(3572), apperr.Unavailable},
		{my(3024), apperr.Timeout}, {my(1969), apperr.Timeout}, {my(1062), apperr.Internal}, {my(1146), apperr.Internal},
		{my(1044), apperr.Unavailable}, {my(1045), apperr.Unavailable}, {my(1049), apperr.Unavailable}, {my(3118), apperr.Unavailable},
		{pg("28P01"), apperr.Unavailable}, {pg("28000"), apperr.Unavailable}, {pg("3D000"), apperr.Unavailable},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, apperr.Unavailable}, {mysql.ErrNoTLS, apperr.Unavailable},
		{pg("08006"), apperr.Unavailable}, {pg("53300"), apperr.Unavailable}, {pg("57P01"), apperr.Unavailable}, {pg("57P03"), apperr.Unavailable},
		{pg("25006"), apperr.Unavailable}, {pg("40001"), apperr.Unavailable}, {pg("40P01"), apperr.Unavailable}, {pg("55P03"), apperr.Unavailable},
		{pg("57014"), apperr.Timeout}, {pg("23505"), apperr.Internal}, {pg("42P01"), apperr.Internal},
		{driver.ErrBadConn, apperr.Unavailable}, {mysql.ErrInvalidConn, apperr.Unavailable}, {sql.ErrConnDone, apperr.Unavailable},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, apperr.Unavailable}, {&net.DNSError{Name: "db"}, apperr.Unavailable},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), apperr.Timeout}, {fmt.Errorf("x: %w", context.Canceled), apperr.Canceled},
		{errors.Join(my(1213), context.Canceled), apperr.Canceled},
		{sql.ErrNoRows, apperr.Internal}, {pgx.ErrNoRows, apperr.Internal}, {errors.New("other"), apperr.Internal},
	} {
		got := Classify(c.err)
		if apperr.CodeOf(got) != c.want {
			t.Errorf("%v: %v", c.err, apperr.CodeOf(got))
		}
		if !errors.Is(got, c.err) {
			t.Errorf("%v: the cause is lost", c.err)
		}
		if e, ok := apperr.As(got); ok && c.want == apperr.Unavailable && (e.RetryAfter <= 0 || e.Message == "") {
			t.Errorf("%v: %+v", c.err, e)
		}
	}
	for _, err := range []error{my(1213), my(1205), my(3572), my(1412), pg("40001"), pg("40P01"), pg("55P03")} {
		if !IsRetryable(err) || IsUnavailable(err) {
			t.Errorf("%v: retryable %v, unavailable %v", err, IsRetryable(err), IsUnavailable(err))
		}
	}
	if IsUnavailable(nil) || IsRetryable(nil) || IsDuplicate(nil) || IsUnavailable(context.DeadlineExceeded) {
		t.Error("nothing is something")
	}
}

// Operators are told that the disk is full only if it is: they would look for room where there is enough.
func TestOnlyAFullDiskIsCalledOne(t *testing.T) {
	t.Parallel()
	const full = "the database's disk is full"
	for _, c := range []struct {
		number        uint16
		message, want string
	}{
		{1021, "Disk full (tasks); waiting for someone to free some space...", full},
		{3, "Error writing file '/var/lib/mysql/binlog.000001' (OS errno 28 - No space left on device)", full},
		{3, "Error writing file './binlog' (Errcode: 28 \"No space left on device\")", full},
		{3, "Error writing file './binlog' (errno: 28)", full},
		{3, "Error writing file './binlog' (OS errno 5 - Input/output error)", ""},
		{1026, "Error writing file 'tasks' (errno: 28 - Nic)", full},
		{1026, "Error writing file 'tasks' (errno: 281)", ""},
		{1598, "Binary logging not possible. Message: Disk is full", full},
		{1598, "Binary logging not possible. Message: Transaction level 'READ-COMMITTED' is not safe for binlog mode 'STATEMENT'", ""},
		{1030, "Got error 28 - 'No space left on device' from storage engine", full},
		{1114, "The table 'events' is full", full},
		{1114, "The table '/tmp/#sql1_8_2' is full", ""},
		{1114, "The table '#sql-1_8' is full", ""},
	} {
		err := fmt.Errorf("op: %w", &mysql.MySQLError{Number: c.number, Message: c.message})
		if got := Reason(err); got != c.want {
			t.Errorf("%v: reason %q", err, got)
		}
		if !IsUnavailable(err) {
			t.Errorf("%v: not taken for unavailable", err)
		}
	}
}

func TestConstraintsAreRecognised(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url}, Options{})
		h.must(t, "CREATE TABLE parents (id INT PRIMARY KEY)",
			"CREATE TABLE children (id INT PRIMARY KEY, parent INT NOT NULL, n INT CHECK (n > 0), FOREIGN KEY (parent) REFERENCES parents (id))",
			"INSERT INTO parents VALUES (1)", "INSERT INTO children VALUES (1, 1, 1)")
		if err := h.exec(t.Context(), "INSERT INTO parents VALUES (1)"); !IsDuplicate(err) || IsRetryable(err) {
			t.Errorf("duplicate: %v", err)
		}
		if err := h.exec(t.Context(), "INSERT INTO children VALUES (2, 1, 0)"); !IsCheckViolation(err) {
			t.Errorf("check: %v", err)
		}
		if err := h.exec(t.Context(), "INSERT INTO children VALUES (2, 7, 1)"); !IsForeignKey(err) {
			t.Errorf("missing parent: %v", err)
		}
		if err := h.exec(t.Context(), "DELETE FROM parents"); !IsForeignKey(err) {
			t.Errorf("parent in use: %v", err)
		}
	})
}

func TestLockRefusalsAreRetryable(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url, LockTimeout: time.Second}, Options{})
		h.must(t, "CREATE TABLE locks (id INT PRIMARY KEY, v INT)", "INSERT INTO locks VALUES (1, 0), (2, 0)")
		err := h.tx(t.Context(), func(exec func(string) error) error {
			if err := exec("UPDATE locks SET v = 1 WHERE id = 1"); err != nil {
				return err
			}
			if err := h.exec(t.Context(), "SELECT v FROM locks WHERE id = 1 FOR UPDATE NOWAIT"); !IsRetryable(err) {
				t.Errorf("NOWAIT: %v", err)
			}
			if err := h.exec(t.Context(), "UPDATE locks SET v = 2 WHERE id = 1"); !IsRetryable(err) || IsUnavailable(err) {
				t.Errorf("lock timeout: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestDeadlocksAreRetriedUntilBothSucceed(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url, LockTimeout: patience}, Options{})
		h.must(t, "CREATE TABLE locks (id INT PRIMARY KEY, v INT)", "INSERT INTO locks VALUES (1, 0), (2, 0)")
		var meet sync.WaitGroup // both hold their first row before either asks for its second
		meet.Add(2)
		var mu sync.Mutex
		retried := 0
		cross := func(first, second string) error {
			attempts := 0
			return RetryTx(t.Context(), 5, func(ctx context.Context) error {
				attempts++
				return h.tx(ctx, func(exec func(string) error) error {
					if err := exec("UPDATE locks SET v = v + 1 WHERE id = " + first); err != nil {
						return err
					}
					if attempts == 1 {
						meet.Done()
						meet.Wait()
					} else {
						mu.Lock()
						retried++
						mu.Unlock()
					}
					return exec("UPDATE locks SET v = v + 1 WHERE id = " + second)
				})
			})
		}
		errs := make(chan error, 2)
		go func() { errs <- cross("1", "2") }()
		go func() { errs <- cross("2", "1") }()
		if err := errors.Join(<-errs, <-errs); err != nil {
			t.Fatal(err)
		}
		if retried != 1 {
			t.Errorf("%d retries, want one victim", retried)
		}
		if got := h.text(t, "SELECT SUM(v) FROM locks"); got != "4" && got != "{4 0 false finite true}" {
			t.Errorf("sum %s", got)
		}
	})
}

func TestStatementLimitIsATimeout(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url, StatementTimeout: 50 * time.Millisecond}, Options{})
		// MySQL's SLEEP does not fail when interrupted, so the statement has to work.
		query := "SELECT COUNT(*) FROM information_schema.collations a, information_schema.collations b, information_schema.collations c, information_schema.collations d"
		if h.engine == Postgres {
			query = "SELECT pg_sleep(60)"
		}
		if err := Classify(h.exec(t.Context(), query)); !apperr.Is(err, apperr.Timeout) {
			t.Errorf("got %v", err)
		}
	})
}

func TestKilledConnectionsAreUnavailableAndReplaced(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		admin := open(t, Config{URL: url}, Options{})
		h := open(t, Config{URL: url}, Options{PoolSize: 1})
		id, kill := "SELECT CONNECTION_ID()", "KILL %s"
		if h.engine == Postgres {
			id, kill = "SELECT pg_backend_pid()", "SELECT pg_terminate_backend(%s)"
		}
		victim := h.text(t, id) // the pool's only connection, which the transaction gets as well
		err := h.tx(t.Context(), func(exec func(string) error) error {
			if err := exec("SELECT 1"); err != nil {
				return err
			}
			admin.must(t, fmt.Sprintf(kill, victim))
			return exec("SELECT 1")
		})
		if !IsUnavailable(err) {
			t.Errorf("got %v", err)
		}
		if err := h.exec(t.Context(), "SELECT 1"); err != nil {
			t.Errorf("the pool did not recover: %v", err)
		}
		if h.text(t, id) == victim {
			t.Error("the connection was not killed")
		}
	})
}

// After a failover the old writer is read-only. Outside a transaction database/sql then tries another connection.
func TestAReadOnlyServerIsUnavailable(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url}, Options{PoolSize: 1})
		h.must(t, "CREATE TABLE n (v INT)")
		var err error
		if h.my != nil {
			tx, beginErr := h.my.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
			if beginErr != nil {
				t.Fatal(beginErr)
			}
			_, err = tx.ExecContext(t.Context(), "INSERT INTO n VALUES (1)")
			tx.Rollback() //nolint:errcheck // the connection is gone
		} else {
			h.must(t, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
			err = h.exec(t.Context(), "INSERT INTO n VALUES (1)")
		}
		if !IsUnavailable(err) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRetryTxStopsWhenItShould(t *testing.T) {
	t.Parallel()
	deadlock := &mysql.MySQLError{Number: 1213}
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			err   error
			tries int
		}{"success": {nil, 1}, "final": {errors.New("no"), 1}, "deadlock": {deadlock, 4}} {
			tries := 0
			err := RetryTx(t.Context(), 4, func(context.Context) error { tries++; return c.err })
			if tries != c.tries || !errors.Is(err, c.err) {
				t.Errorf("%s: %d tries, %v", name, tries, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := RetryTx(ctx, 1_000_000, func(context.Context) error { return deadlock })
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, deadlock) || time.Since(start) != time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}
