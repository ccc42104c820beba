package apperr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestCodeOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want Code
	}{
		{nil, ""}, {New(Stale, "x"), Stale}, {fmt.Errorf("op: %w", New(Gone, "x")), Gone},
		{Wrap(context.Canceled, Unavailable, "x"), Unavailable}, {fmt.Errorf("op: %w", context.DeadlineExceeded), Timeout},
		{context.Canceled, Canceled}, {errors.New("x"), Internal}, {errors.Join(errors.New("x"), New(Conflict, "y")), Conflict},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("%#v: %s, want %s", c.err, got, c.want)
		}
		if c.err != nil && !Is(c.err, c.want) {
			t.Errorf("%#v is not %s", c.err, c.want)
		}
	}
	if Is(nil, "") {
		t.Error("no error has a code")
	}
}

func TestErrorTextIsForTheLog(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial tcp")
	e := Wrap(cause, Unavailable, "the database is %s", "away").WithRetryAfter(time.Second)
	if e.Error() != "unavailable: the database is away: dial tcp" || !errors.Is(e, cause) || e.RetryAfter != time.Second {
		t.Errorf("got %q", e)
	}
	two := InvalidFields(Field{Name: "a", Message: "is bad"}, Field{Name: "b", Message: "is worse"})
	if two.Error() != "invalid: 2 fields are not valid [a: is bad, b: is worse]" {
		t.Errorf("got %q", two)
	}
	if got := InvalidField("q", "unknown word").At(7).Error(); got != "invalid: q: unknown word [q: unknown word (at 7)]" {
		t.Errorf("got %q", got)
	}
	if InvalidFields() != nil {
		t.Error("no fields, yet an error")
	}
	position := 3
	if one := InvalidFields(Field{Name: "a", Message: "100% bad", Position: &position}); one.Message != "a: 100% bad" || *one.Fields[0].Position != 3 {
		t.Errorf("got %+v", one)
	}
	if got := New(Conflict, "no At without fields").At(1).WithCurrent(5); got.Current != 5 || len(got.Fields) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestPercentSignsWithoutArgumentsStay(t *testing.T) {
	t.Parallel()
	format := "50% off" // as it comes from elsewhere
	if got := New(Invalid, format).Message; got != "50% off" {
		t.Errorf("got %q", got)
	}
}

func TestFieldIsEncodedForTheAPI(t *testing.T) {
	t.Parallel()
	zero := 0
	data, err := json.Marshal([]Field{{Name: "a", Message: "b"}, {Name: "c", Message: "d", Position: &zero}})
	if err != nil || string(data) != `[{"name":"a","message":"b"},{"name":"c","message":"d","position":0}]` {
		t.Errorf("%s, %v", data, err)
	}
}
