package storetest

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// plainTask is a task as text: times in UTC, empty lists and no lists alike.
func plainTask(t testing.TB, v *task.Task) string {
	t.Helper()
	if v == nil {
		return "nil"
	}
	c := *v
	if len(c.Assignees) == 0 {
		c.Assignees = nil
	}
	if len(c.Labels) == 0 {
		c.Labels = nil
	}
	return asJSON(t, c)
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode %T: %v", v, err)
	}
	return string(b)
}

func sameTask(t testing.TB, what string, got, want *task.Task) {
	t.Helper()
	if g, w := plainTask(t, got), plainTask(t, want); g != w {
		t.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func wantCode(t testing.TB, what string, err error, code apperr.Code) {
	t.Helper()
	if got := apperr.CodeOf(err); got != code {
		t.Fatalf("%s: got %q (%v), want code %q", what, got, err, code)
	}
}

func ok(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
