package db

import (
	"context"
	"encoding/pem"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
)

func TestSessionsAreSetUpAlike(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url, StatementTimeout: 7 * time.Second, LockTimeout: 3 * time.Second}, Options{Name: "test"})
		if h.engine == Postgres {
			for setting, want := range map[string]string{
				"TimeZone": "UTC", "transaction_isolation": "read committed", "statement_timeout": "7s", "lock_timeout": "3s",
				"application_name": "tallyboard-test", "client_encoding": "UTF8",
			} {
				if got := h.text(t, "SELECT current_setting('"+setting+"')"); got != want {
					t.Errorf("%s is %s, want %s", setting, got, want)
				}
			}
			return
		}
		for query, want := range map[string]string{
			"SELECT @@session.time_zone":                               "+00:00",
			"SELECT @@session.innodb_lock_wait_timeout":                "3",
			"SELECT @@session.character_set_client":                    "utf8mb4",
			"SELECT @@session.collation_connection":                    "utf8mb4_unicode_ci",
			"SELECT @@session.sql_mode LIKE '%STRICT_TRANS_TABLES%'":   "1",
			"SELECT @@session.autocommit":                              "1",
			"SELECT TIMESTAMPDIFF(HOUR, UTC_TIMESTAMP(), NOW())":       "0",
			"SELECT COALESCE('é' = 'É' COLLATE utf8mb4_unicode_ci, 0)": "1",
		} {
			if got := h.text(t, query); got != want {
				t.Errorf("%s is %s, want %s", query, got, want)
			}
		}
		if strings.Contains(h.text(t, "SELECT VERSION()"), "MariaDB") {
			if got := h.text(t, "SELECT @@session.max_statement_time"); !strings.HasPrefix(got, "7") {
				t.Errorf("statement limit %s", got)
			}
			if got := h.text(t, "SELECT @@session.tx_isolation"); got != "READ-COMMITTED" {
				t.Errorf("isolation %s", got)
			}
			return
		}
		if got := h.text(t, "SELECT @@session.max_execution_time"); got != "7000" {
			t.Errorf("statement limit %s", got)
		}
		if got := h.text(t, "SELECT @@session.transaction_isolation"); got != "READ-COMMITTED" {
			t.Errorf("isolation %s", got)
		}
	})
}

func TestMySQLRefusesWhatItWouldCut(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url}, Options{})
		h.must(t, "CREATE TABLE names (name VARCHAR(3))")
		if err := h.exec(t.Context(), "INSERT INTO names VALUES ('four')"); err == nil {
			t.Error("a value was cut")
		}
	})
}

func TestAffectedRowsAreMatchedRows(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url}, Options{})
		h.must(t, "CREATE TABLE n (v INT)", "INSERT INTO n VALUES (1)")
		if h.my == nil {
			return // PostgreSQL knows no other way
		}
		result, err := h.my.ExecContext(t.Context(), "UPDATE n SET v = 1")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := result.RowsAffected(); n != 1 || err != nil {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

func TestTimesAreUTC(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		h := open(t, Config{URL: url}, Options{})
		want := time.Date(2026, 3, 29, 1, 30, 0, 123456000, time.UTC)
		var got time.Time
		var err error
		if h.my != nil {
			err = h.my.QueryRowContext(t.Context(), "SELECT CAST(? AS DATETIME(6))", want.In(time.FixedZone("x", 7200))).Scan(&got)
		} else {
			err = h.pg.QueryRow(t.Context(), "SELECT $1::timestamptz", want.In(time.FixedZone("x", 7200))).Scan(&got)
		}
		if err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestPoolsAreBoundedAndWaitersHeedTheirContext(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		reader := sdkmetric.NewManualReader()
		tel := telemetry.Nop()
		tel.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
		h := open(t, Config{URL: url}, Options{Telemetry: tel, Name: "requests", PoolSize: 1})
		err := h.tx(t.Context(), func(exec func(string) error) error {
			if err := exec("SELECT 1"); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := Classify(h.exec(ctx, "SELECT 1")); !apperr.Is(err, apperr.Timeout) {
				t.Errorf("a waiter got %v", err)
			}
			if got := gauges(t, reader); got["db.client.connection.count used requests"] != 1 ||
				got["db.client.connection.max  requests"] != 1 || got["db.client.connection.waits  requests"] < 1 {
				t.Errorf("gauges %v", got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		stats := h.stats()
		if stats.Max != 1 || stats.InUse != 0 || stats.Idle != 1 || stats.Engine != string(h.engine) {
			t.Errorf("stats %+v", stats)
		}
	})
}

func (h handle) stats() PoolStats {
	if h.my != nil {
		return MySQLStats(h.my)
	}
	return PostgresStats(h.pg)
}

func gauges(t *testing.T, reader *sdkmetric.ManualReader) map[string]float64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	add := func(name string, attrs attribute.Set, v float64) {
		state, _ := attrs.Value("db.client.connection.state")
		pool, _ := attrs.Value("db.client.connection.pool.name")
		s, p := "", ""
		if state.Type() == attribute.STRING {
			s = state.AsString()
		}
		if pool.Type() == attribute.STRING {
			p = pool.AsString()
		}
		got[name+" "+s+" "+p] = v
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					add(m.Name, p.Attributes, float64(p.Value))
				}
			case metricdata.Sum[float64]:
				for _, p := range d.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			}
		}
	}
	return got
}

func TestOpenDoesNotNeedTheDatabase(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"mysql://u:p@127.0.0.1:1/x", "postgres://u:p@127.0.0.1:1/x"} {
		h := open(t, Config{URL: u}, Options{})
		err := h.exec(t.Context(), "SELECT 1")
		if !IsUnavailable(err) || !apperr.Is(Classify(err), apperr.Unavailable) {
			t.Errorf("%s: %v", u, err)
		}
		if e, ok := apperr.As(Classify(err)); !ok || e.RetryAfter <= 0 || strings.Contains(e.Message, "127.0.0.1") {
			t.Errorf("%s: %+v", u, e)
		}
	}
}

func TestURLsAreTranslated(t *testing.T) {
	t.Parallel()
	dsn, err := mysqlConfig(Config{URL: "mysql://app%40x:p%3Aq%2F@db.example:3307/tally?tls=skip-verify&maxAllowedPacket=1048576"})
	if err != nil {
		t.Fatal(err)
	}
	if dsn.User != "app@x" || dsn.Passwd != "p:q/" || dsn.Addr != "db.example:3307" || dsn.DBName != "tally" ||
		dsn.TLSConfig != "skip-verify" || dsn.MaxAllowedPacket != 1<<20 || !dsn.InterpolateParams || !dsn.ClientFoundRows {
		t.Errorf("got %+v", dsn)
	}
	dsn, err = mysqlConfig(Config{URL: "mysql://root@/tally?socket=/run/mysqld.sock", Password: "other"})
	if err != nil || dsn.Net != "unix" || dsn.Addr != "/run/mysqld.sock" || dsn.Passwd != "other" {
		t.Errorf("got %+v, %v", dsn, err)
	}
	dsn, err = mysqlConfig(Config{URL: "mysql://root@[::1]/tally"})
	if err != nil || dsn.Addr != "[::1]:3306" {
		t.Errorf("got %+v, %v", dsn, err)
	}
}

func TestBadURLsAreExplainedWithoutTheirPassword(t *testing.T) {
	t.Parallel()
	for _, u := range []string{
		"", "db.example/x", "oracle://u:hunter2@h/x", "mysql://u:hunter2@h:port/x", "mysql://u:hunt%er2@h/x", "mysql:///x",
		"mysql://u:hunter2@h/x?parseTime=perhaps", "postgres://u:hunter2@h:port/x",
	} {
		_, engineErr := EngineOf(u)
		_, myErr := OpenMySQL(t.Context(), Config{URL: u}, Options{})
		_, pgErr := OpenPostgres(t.Context(), Config{URL: u}, Options{})
		for _, err := range []error{engineErr, myErr, pgErr} {
			if err != nil && (strings.Contains(err.Error(), "hunt") || !strings.HasPrefix(err.Error(), "database URL: ")) {
				t.Errorf("%s: %v", u, err)
			}
		}
		if myErr == nil || pgErr == nil {
			t.Errorf("%q was accepted: %v, %v", u, myErr, pgErr)
		}
	}
}

func TestResolvedURLHasThePassword(t *testing.T) {
	t.Parallel()
	u, err := Config{URL: "mysql://app:old@h/x?tls=true", Password: "n@w:/"}.ResolvedURL()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := parsed.User.Password(); p != "n@w:/" || parsed.User.Username() != "app" || parsed.RawQuery != "tls=true" {
		t.Errorf("got %s", u)
	}
}

func TestTheCAFileTurnsVerifiedTLSOn(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ca.pem")
	server := httptest.NewTLSServer(nil) // its certificate is as good as any
	defer server.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []Config{{URL: "mysql://u@db.example/x", CAFile: file}, {URL: "mysql://u@db.example/x?ca-file=" + url.QueryEscape(file)}} {
		resolved, err := cfg.ResolvedURL()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []Config{cfg, {URL: resolved}} {
			dsn, err := mysqlConfig(c)
			if err != nil || dsn.TLS == nil || dsn.TLS.ServerName != "db.example" || dsn.TLS.InsecureSkipVerify || dsn.TLS.RootCAs == nil {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
	cfg := Config{URL: "postgres://u@db.example/x", CAFile: file}
	resolved, err := cfg.ResolvedURL()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{cfg, {URL: resolved}} {
		h := open(t, c, Options{})
		if tls := h.pg.Config().ConnConfig.TLSConfig; tls == nil || tls.ServerName != "db.example" || tls.InsecureSkipVerify || tls.RootCAs == nil {
			t.Errorf("%+v: %+v", c, tls)
		}
	}
	for _, bad := range []string{"/nonexistent.pem", os.DevNull} {
		if _, err := mysqlConfig(Config{URL: "mysql://u@db.example/x", CAFile: bad}); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}
