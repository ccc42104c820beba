package db

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/fstest"
)

// schema returns n migrations, each of which fails if run twice.
func schema(n int) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 1; i <= n; i++ {
		files[fmt.Sprintf("%05d_step.sql", i)] = &fstest.MapFile{Data: fmt.Appendf(nil,
			"-- +goose Up\nCREATE TABLE step%d (id INT);\nINSERT INTO step%d VALUES (%d);\n-- +goose Down\nDROP TABLE step%d;\n", i, i, i, i)}
	}
	return files
}

func TestMigrateManyReplicasAtOnce(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		const replicas = 8
		errs := make(chan error, replicas)
		for range replicas {
			go func() { errs <- Migrate(t.Context(), url, "goose_test", schema(3), quiet()) }()
		}
		for range replicas {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		have, want, err := MigrationsCurrent(t.Context(), url, "goose_test", schema(3))
		if have != 3 || want != 3 || err != nil {
			t.Errorf("have %d, want %d, %v", have, want, err)
		}
		h := open(t, Config{URL: url}, Options{})
		if got := h.text(t, "SELECT COUNT(*) FROM step3"); got != "1" {
			t.Errorf("step 3 ran %s times", got)
		}
		if v := h.version(t, "goose_test"); v != 3 {
			t.Errorf("version %d", v)
		}
	})
}

func (h handle) version(t *testing.T, table string) int64 {
	t.Helper()
	var v int64
	var err error
	if h.my != nil {
		v, err = SchemaVersionMySQL(t.Context(), h.my, table)
	} else {
		v, err = SchemaVersionPostgres(t.Context(), h.pg, table)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTwoSchemasShareADatabase(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		other := fstest.MapFS{"00001_other.sql": {Data: []byte("-- +goose Up\nCREATE TABLE other (id INT);\n")}}
		errs := make(chan error, 2)
		go func() { errs <- Migrate(t.Context(), url, "goose_task", schema(2), quiet()) }()
		go func() { errs <- Migrate(t.Context(), url, "goose_stats", other, quiet()) }()
		if err := errors.Join(<-errs, <-errs); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMigrateRefusesANewerDatabase(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		if err := Migrate(t.Context(), url, "goose_test", schema(3), quiet()); err != nil {
			t.Fatal(err)
		}
		err := Migrate(t.Context(), url, "goose_test", schema(2), quiet())
		if !errors.Is(err, ErrSchemaNewer) {
			t.Errorf("got %v", err)
		}
		have, want, err := MigrationsCurrent(t.Context(), url, "goose_test", schema(2))
		if have != 3 || want != 2 || err != nil {
			t.Errorf("have %d, want %d, %v", have, want, err)
		}
	})
}

func TestMigrateGoesOnAfterAFailedStep(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, url string) {
		t.Helper()
		broken := schema(2)
		broken["00002_step.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE NONSENSE;\n")}
		if err := Migrate(t.Context(), url, "goose_test", broken, quiet()); err == nil {
			t.Fatal("nonsense was accepted")
		}
		if err := Migrate(t.Context(), url, "goose_test", schema(2), quiet()); err != nil {
			t.Fatal(err) // the lock is free and step 1 is not run again
		}
	})
}

func TestMigrateWithoutADatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"mysql://u@127.0.0.1:1/x", "postgres://u@127.0.0.1:1/x"} {
		if err := Migrate(t.Context(), url, "goose_test", schema(1), quiet()); !IsUnavailable(err) {
			t.Errorf("%s: %v", url, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Migrate(ctx, "mysql://u@127.0.0.1:1/x", "goose_test", schema(1), quiet()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWantedVersion(t *testing.T) {
	t.Parallel()
	if v, err := WantedVersion(schema(12)); v != 12 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
	for _, files := range []fstest.MapFS{{}, {"x.sql": {}}} {
		if _, err := WantedVersion(files); err == nil {
			t.Errorf("%v was accepted", files)
		}
	}
}
