package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\r\t\x00\x1f", "☃\u2028", "a\xffb\xc0", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := appendString(nil, s)
		var back string
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("appendString(%q) = %s: %v", s, b, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back != want {
			t.Fatalf("appendString(%q) reads back as %q", s, back)
		}
	})
}

func TestForbiddenNullNamesThePlace(t *testing.T) {
	t.Parallel()
	h := serve(t, Deps{Projects: newFakeProjects(t)})
	for body, name := range map[string]string{
		`{"title":null}`:                      "title",
		`{"title":"x","assignees":[null]}`:    "assignees[0]",
		`{"title":"x","description":null}`:    "description",
		`null`:                                "body",
		`{"title":"x","labels": [ null ] }`:   "labels[0]",
		`{"title":"x","priority":  null  }`:   "priority",
		`{"title":"x","top":null,"due":null}`: "top",
	} {
		p := h.Do("POST", "/api/v1/projects/WEB/tasks", body).Problem(t, 400)
		if len(p.Errors) != 1 || p.Errors[0].Name != name {
			t.Errorf("%s: %+v, want an error about %s", body, p, name)
		}
	}
}
