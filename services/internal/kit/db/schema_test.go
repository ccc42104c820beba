package db

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
)

// waiting looks at a schema that is at the given versions, one after the other; the last one stays.
func waiting(files fstest.MapFS, pings []error, versions ...int64) SchemaWait {
	next := func() int64 {
		v := versions[0]
		if len(versions) > 1 {
			versions = versions[1:]
		}
		return v
	}
	return SchemaWait{
		Schemas: []Schema{{Table: "goose_test", Files: files}}, Poll: time.Second,
		Ping: func(context.Context) error {
			if len(pings) == 0 {
				return nil
			}
			err := pings[0]
			pings = pings[1:]
			return err
		},
		Version: func(context.Context, string) (int64, error) { return next(), nil },
	}
}

func TestAServiceWaitsForWhatOthersPutRight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := &mysql.MySQLError{Number: 1045}
		looks := 0
		wait := waiting(schema(2), []error{mysql.ErrInvalidConn, refused, refused}, 1, 2)
		if err := AwaitSchema(t.Context(), wait, quiet(), func() { looks++ }); err != nil || looks != 4 {
			t.Errorf("%v after %d looks", err, looks)
		}
	})
}

// A release adds one migration at most, so one ahead is the schema of the next release, which leaves this one working.
func TestAProgramServesOnTheNextSchemaAndRefusesLaterOnes(t *testing.T) {
	t.Parallel()
	if err := AwaitSchema(t.Context(), waiting(schema(2), nil, 3), quiet(), func() {}); err != nil {
		t.Errorf("on the next schema: %v", err)
	}
	if err := AwaitSchema(t.Context(), waiting(schema(2), nil, 4), quiet(), func() {}); !errors.Is(err, ErrSchemaNewer) {
		t.Errorf("on the one after it: %v", err)
	}
}
