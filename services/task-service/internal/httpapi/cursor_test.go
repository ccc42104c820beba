package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func listOf(filter, sort string) task.ListInput {
	return task.ListInput{Project: "WEB", Filter: filter, Sort: sort, Viewer: task.Viewer{Zone: time.UTC}}
}

func TestCursorReturnsWhatWentIn(t *testing.T) {
	t.Parallel()
	key := listKey(listOf("is:open", "-title"))
	for _, value := range []string{"", "2026-12-01", "ünïcode ☃", strings.Repeat("☃", task.MaxTitle)} {
		in := &task.Cursor{Sort: sortOf("-title"), Value: value, ID: mustID(t)}
		text := encodeCursor(in, key)
		if len(text) > 4096 {
			t.Errorf("cursor of %d characters exceeds the parameter's limit", len(text))
		}
		out, err := decodeCursor(text, in.Sort, key)
		if err != nil || *out != *in {
			t.Errorf("decode(encode(%+v)) = %+v, %v", in, out, err)
		}
	}
}

func TestCursorBelongsToItsList(t *testing.T) {
	t.Parallel()
	text := encodeCursor(&task.Cursor{ID: mustID(t), Value: "x"}, listKey(listOf("is:open", "rank")))
	others := map[string]task.ListInput{
		"filter": listOf("is:done", "rank"), "sort": listOf("is:open", "-rank"), "boundary": listOf("is:openr", "ank"),
	}
	trash := listOf("is:open", "rank")
	trash.Trashed = true
	others["trash"] = trash
	for name, in := range others {
		if _, err := decodeCursor(text, sortOf(in.Sort), listKey(in)); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("a cursor of another %s is accepted: %v", name, err)
		}
	}
}

func FuzzDecodeCursor(f *testing.F) {
	key := listKey(listOf("", "rank"))
	f.Add(encodeCursor(&task.Cursor{ID: uuid.Max, Value: "a1"}, key))
	f.Add("")
	f.Add("AQ")
	f.Add("not base64!")
	f.Fuzz(func(t *testing.T, text string) {
		cursor, err := decodeCursor(text, sortOf("rank"), key)
		if err != nil {
			e, ok := apperr.As(err)
			if !ok || e.Code != apperr.Invalid || e.Fields[0].Name != "cursor" {
				t.Fatalf("decodeCursor(%q): %v, want an error about cursor", text, err)
			}
			return
		}
		if again := encodeCursor(cursor, key); again != text {
			t.Fatalf("decodeCursor(%q) is accepted, but its canonical text is %q", text, again)
		}
	})
}
