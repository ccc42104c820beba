package query

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func TestTitleKey(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Fix  the\tLogin ":              "fix the login",
		"Ärger im Café":                 "arger im cafe",
		"ＦＵＬＬ ﬁ":                        "full fi",
		strings.Repeat("x", 100):        strings.Repeat("x", 64),
		strings.Repeat("x", 63) + "  y": strings.Repeat("x", 63),
		"":                              "",
	} {
		if got := TitleKey(title); got != want {
			t.Errorf("TitleKey(%q) = %q, want %q", title, got, want)
		}
		if again := TitleKey(want); again != want {
			t.Errorf("TitleKey(%q) = %q: not a fixed point", want, again)
		}
	}
}

func TestWordsAreTaggedOnceAndSorted(t *testing.T) {
	t.Parallel()
	p := uuid.MustParse("01890000-0000-7000-8000-0123456789ab")
	q := tag(p)
	got := Words(p, "Login page: LOGIN!", "see a_b, 2× the-page "+strings.Repeat("w", 80))
	want := " " + strings.Join([]string{q + "2", q + "a", q + "b", q + "login", q + "page", q + "see", q + "the", q + strings.Repeat("w", maxWord)}, " ")
	if got != want {
		t.Fatalf("Words:\n got %q\nwant %q", got, want)
	}
	if other := Words(uuid.New(), "login", ""); strings.Contains(other, q) {
		t.Fatal("two projects share a tag")
	}
}

// FuzzSearch: whatever people search for, what reaches the server has letters, digits and our own operators only.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{"login", `"a b" -c +d* (e) ~f <g >h @3 'i' \ `, "x:*|y&!z <-> w", "%_%", "🙂 é \u754c \x00\xff"} {
		f.Add(seed)
	}
	p := uuid.New()
	f.Fuzz(func(t *testing.T, text string) {
		for _, w := range terms([]uuid.UUID{p}, []string{text}) {
			for _, r := range w[0] {
				if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
					t.Fatalf("term %q of %q", w[0], text)
				}
			}
			if n := utf8.RuneCountInString(w[0]); n > 84 {
				t.Fatalf("term of %d runes: MySQL indexes up to 84", n)
			}
		}
		TitleKey(text)
		Words(p, text, text)
	})
}

// FuzzCursor: a cursor is refused or becomes a parameter; it never changes the statement.
func FuzzCursor(f *testing.F) {
	f.Add("rank", "a1", false)
	f.Add("created", "2026-01-01T00:00:00Z", true)
	f.Add("due", "", false)
	f.Add("title", "' OR 1=1 --", false)
	texts := map[string]bool{}
	f.Fuzz(func(t *testing.T, field, value string, descending bool) {
		by := task.Sort{Field: field, Descending: descending}
		q := task.Query{ProjectID: uuid.New(), Sort: by, After: &task.Cursor{Sort: by, Value: value, ID: uuid.New()}}
		for _, d := range []*Dialect{MySQL, Postgres} {
			seen := recorder{}
			if _, err := d.List(t.Context(), q, &seen); err != nil && len(seen.texts) > 0 {
				t.Fatalf("refused after %d statements: %v", len(seen.texts), err)
			}
			for _, text := range seen.texts {
				texts[text] = true
			}
		}
		if len(texts) > 2*2*9*3 { // engines, directions, fields, shapes
			t.Fatalf("%d statement texts: values get into them", len(texts))
		}
	})
}

// recorder is a Source without tasks.
type recorder struct{ texts []string }

func (r *recorder) SelectTasks(_ context.Context, text string, _ []any) ([]*task.Task, error) {
	r.texts = append(r.texts, text)
	return nil, nil
}

func (r *recorder) StatesOf(_ context.Context, projects []uuid.UUID) ([]State, error) {
	return []State{{ID: uuid.New(), ProjectID: projects[0], Category: project.Doing}}, nil
}

// TestParametersMatch: as many parameters as places, in every dialect, for every condition.
func TestParametersMatch(t *testing.T) {
	t.Parallel()
	ids := []uuid.UUID{uuid.New(), uuid.New()}
	var where []task.Condition
	for _, field := range []string{filter.State, filter.Assignee, filter.Label, filter.Parent, filter.Creator} {
		where = append(where, task.Condition{Field: field, IDs: ids, None: true}, task.Condition{Field: field, IDs: ids[:1], Not: true}, task.Condition{Field: field})
	}
	for _, flag := range flags {
		where = append(where, task.Condition{Field: filter.Is_, Flag: flag, Today: "2026-01-01"})
	}
	where = append(where, task.Condition{Field: filter.Text, Words: []string{"a", "b"}}, task.Condition{Field: filter.Text, Words: []string{"c"}, Not: true},
		task.Condition{Field: filter.Due, Op: filter.Less, Dates: []task.Date{"2026-01-01"}, None: true},
		task.Condition{Field: filter.Estimate, Op: filter.Is, Numbers: []float64{1, 2}})
	for _, d := range []*Dialect{MySQL, Postgres} {
		for _, projects := range [][]uuid.UUID{ids[:1], ids} {
			count := counter{t: t}
			if _, err := d.List(t.Context(), task.Query{Projects: projects, Where: where, Sort: task.Sort{Field: "due"}}, &count); err != nil {
				t.Fatal(err)
			}
			if count.statements == 0 {
				t.Fatal("nothing was read")
			}
		}
	}
	for _, bad := range []task.Condition{{Field: "colour"}, {Field: filter.Is_, Flag: "blue"}, {Field: filter.Due, Op: "~", Dates: []task.Date{"2026-01-01"}}} {
		if _, err := MySQL.List(t.Context(), task.Query{ProjectID: ids[0], Where: []task.Condition{bad}}, &recorder{}); err == nil {
			t.Errorf("%+v was not refused", bad)
		}
	}
}

type counter struct {
	recorder
	t          *testing.T
	statements int
}

func (c *counter) SelectTasks(_ context.Context, text string, args []any) ([]*task.Task, error) {
	c.statements++
	places := strings.Count(text, "?")
	if places == 0 {
		places = strings.Count(text, "$")
	}
	if places != len(args) {
		c.t.Errorf("%d places, %d parameters: %s", places, len(args), text)
	}
	return nil, nil
}

func TestInsertIsSplit(t *testing.T) {
	t.Parallel()
	rows := slices.Repeat([][]any{{int64(1), "x"}}, maxInsertRows*2+1)
	if got := MySQL.Insert("INSERT INTO t (a, b) VALUES ", rows, ""); len(got) != 3 {
		t.Fatalf("%d rows make %d statements", len(rows), len(got))
	}
	large := [][]any{{strings.Repeat("x", maxInsertBytes)}, {strings.Repeat("x", maxInsertBytes)}, {"y"}}
	if got := MySQL.Insert("INSERT INTO t (a) VALUES ", large, ""); len(got) != 3 {
		t.Fatalf("large rows make %d statements", len(got))
	}
	if got := MySQL.Insert("INSERT INTO t (a) VALUES ", nil, ""); len(got) != 0 {
		t.Fatalf("no rows make %d statements", len(got))
	}
	text, args := Postgres.Insert("INSERT INTO t (a) VALUES ", [][]any{{1}, {2}}, " ON CONFLICT DO NOTHING")[0].Build()
	if text != "INSERT INTO t (a) VALUES ($1), ($2) ON CONFLICT DO NOTHING" || len(args) != 2 {
		t.Fatalf("%s, %d parameters", text, len(args))
	}
}

func TestUpdateWritesWhatDiffers(t *testing.T) {
	t.Parallel()
	before := &task.Task{ID: uuid.New(), Title: "a", Seq: 1}
	after := *before
	if _, ok := MySQL.UpdateTask(before, &after); ok {
		t.Fatal("nothing differs, something is written")
	}
	after.Seq = 2
	s, _ := MySQL.UpdateTask(before, &after)
	if text, _ := s.Build(); text != "UPDATE tasks SET seq = ? WHERE id = ?" {
		t.Fatal(text)
	}
	after.Title, after.Due = "b", "2026-01-01"
	s, _ = Postgres.UpdateTask(before, &after)
	if text, _ := s.Build(); text != "UPDATE tasks SET title = $1, title_key = $2, words = $3::text::tsvector, due_date = $4::text::date, seq = $5 WHERE id = $6" {
		t.Fatal(text)
	}
}

func TestPack(t *testing.T) {
	t.Parallel()
	ids := []uuid.UUID{uuid.New(), uuid.New()}
	if got := Unpack(Pack(ids)); !slices.Equal(got, ids) {
		t.Fatalf("%v became %v", ids, got)
	}
	if Pack(nil) == nil || Unpack(nil) != nil {
		t.Fatal("no ids are empty bytes, and back")
	}
}
