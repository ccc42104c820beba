package filter

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		``:    ``,
		`   `: ``,
		`state:doing assignee:me due<2026-12-01 label:bug -priority:low "login page"`: `state:doing assignee:me due<2026-12-01 label:bug -priority:low "login page"`,
		`STATE:Doing,"In review"  `:  `state:Doing,"In review"`,
		`due<=+7d created>=-2w`:      `due<=+7d created>=-2w`,
		`-is:blocked`:                `-is:blocked`,
		`text:"a \"b\" \\ c"`:        `"a \"b\" \\ c"`,
		`text:a,b c,d`:               `"a,b" "c,d"`,
		`"state:doing"`:              `"state:doing"`,
		`-"-x"`:                      `-"-x"`,
		`label:a:b`:                  `label:a:b`,
		"fix\tme":                    `fix me`,
		`größe label:"Größe, klein"`: `größe label:"Größe, klein"`,
		`c++ 50% a_b`:                `c++ 50% a_b`,
		`priority<3`:                 `priority<3`,
	} {
		e, err := Parse(source)
		if err != nil {
			t.Errorf("Parse(%q): %v", source, err)
			continue
		}
		if got := e.String(); got != want {
			t.Errorf("Parse(%q) = %s, want %s", source, got, want)
		}
		if e.Source != source {
			t.Errorf("the source of %q became %q", source, e.Source)
		}
	}
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]struct {
		position int
		message  string
	}{
		`stat:doing`:               {0, `did you mean "state"?`},
		`a -`:                      {2, "stands alone"},
		`x state:`:                 {8, "needs a value"},
		`state:a,`:                 {8, "needs a value"},
		`state:"a`:                 {6, "never closed"},
		`state:"a"b`:               {9, "needs a space"},
		`state:a"b"`:               {7, "inside of a word"},
		`state<doing`:              {5, "cannot compare"},
		`due<today,tomorrow`:       {9, "one value only"},
		`"a\b"`:                    {2, "backslash"},
		`label:""`:                 {6, "nothing in them"},
		"a\x00":                    {1, "control character"},
		"a \xff":                   {2, "UTF-8"},
		strings.Repeat("a ", 1001): {2000, "at most 2000"},
		strings.Repeat("a ", 41):   {80, "more than 40 terms"},
		`label:` + strings.Repeat("a,", 50) + `a`: {106, "more than 50 alternatives"},
	} {
		_, err := Parse(source)
		e, ok := apperr.As(err)
		if !ok || e.Code != apperr.Invalid || len(e.Fields) != 1 || e.Fields[0].Name != "filter" || e.Fields[0].Position == nil {
			t.Errorf("Parse(%.40q) = %v, want a fault of the field filter with a position", source, err)
			continue
		}
		if *e.Fields[0].Position != want.position || !strings.Contains(e.Fields[0].Message, want.message) {
			t.Errorf("Parse(%.40q): %q at %d, want %q at %d", source, e.Fields[0].Message, *e.Fields[0].Position, want.message, want.position)
		}
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	if f, d, err := ParseSort("-updated"); f != "updated" || !d || err != nil {
		t.Error(f, d, err)
	}
	if f, d, err := ParseSort(""); f != "rank" || d || err != nil {
		t.Error(f, d, err)
	}
	if _, _, err := ParseSort("updatd"); err == nil || !strings.Contains(err.Error(), `"updated"`) {
		t.Error(err)
	}
}

// anyExpr draws expressions as Parse can make them.
func anyExpr() *rapid.Generator[Expr] {
	value := rapid.StringOfN(rapid.RuneFrom([]rune(`abZ09 ,"\:<>-+_ßéж`)), 1, 12, -1).
		Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
	term := rapid.Custom(func(t *rapid.T) Term {
		x := Term{Field: rapid.SampledFrom(Fields).Draw(t, "field"), Op: Is, Not: rapid.Bool().Draw(t, "not")}
		most := 4
		if ordered[x.Field] {
			x.Op = rapid.SampledFrom([]Op{Is, Less, AtMost, Greater, AtLeast}).Draw(t, "op")
		}
		if x.Op != Is || x.Field == Text {
			most = 1
		}
		x.Values = rapid.SliceOfN(value, 1, most).Draw(t, "values")
		return x
	})
	return rapid.Custom(func(t *rapid.T) Expr { return Expr{Terms: rapid.SliceOfN(term, 0, 8).Draw(t, "terms")} })
}

func TestPrintingAndParsingAreInverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := anyExpr().Draw(t, "expr")
		back, err := Parse(e.String())
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		same(t, e, back)
	})
}

type tester interface{ Fatalf(string, ...any) }

func same(t tester, a, b Expr) {
	if len(a.Terms) != len(b.Terms) {
		t.Fatalf("%s has %d terms, %s has %d", a, len(a.Terms), b, len(b.Terms))
	}
	for i, x := range a.Terms {
		y := b.Terms[i]
		if x.Field != y.Field || x.Op != y.Op || x.Not != y.Not || strings.Join(x.Values, "\x00") != strings.Join(y.Values, "\x00") {
			t.Fatalf("term %d: %#v became %#v", i, x, y)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`state:doing assignee:me due<2026-12-01 -label:"a b",c "x\"y"`, `-`, `"`, `a:b`, `due<=`, "text:\"\u2028\"", `<=`, `-"-"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := Parse(source)
		if err != nil {
			if a, ok := apperr.As(err); !ok || a.Fields[0].Position == nil || *a.Fields[0].Position < 0 || *a.Fields[0].Position > len(source) {
				t.Fatalf("Parse(%q): %v has no position in the text", source, err)
			}
			return
		}
		if canonical := e.String(); len(canonical) <= MaxLength {
			back, err := Parse(canonical)
			if err != nil {
				t.Fatalf("%q was printed as %q, which fails: %v", source, canonical, err)
			}
			same(t, e, back)
		}
	})
}
