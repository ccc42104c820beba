package quickadd

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var wednesday = time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Result{
		`Fix login !1 @me #bug tomorrow 5pm ^WEB-12`: {Title: "Fix login", Priority: 1, Assignees: []string{"me"}, Labels: []string{"bug"}, Due: "2026-11-26", Parent: "WEB-12"},
		`  Fix   login  `:                  {Title: "Fix login"},
		`Pay #"past due" /"in review" now`: {Title: "Pay now", Labels: []string{"past due"}, State: "in review"},
		`!9 !x !1x a!1`:                    {Title: "!9 !x !1x a!1"},
		`\#1 \@home \!2 a\#b`:              {Title: "#1 @home !2 a\\#b"},
		`mail bob@example.com`:             {Title: "mail bob@example.com"},
		`@Bob @bob #Bug #bug x`:            {Title: "x", Assignees: []string{"bob"}, Labels: []string{"Bug"}},
		`@nobody #none /nowhere ^NO-1 x`:   {Title: "@nobody #none /nowhere ^NO-1 x"},
		`# @ ! ^ / ^WEB ^WEB-0 ^w-1 x`:     {Title: "# @ ! ^ / ^WEB ^WEB-0 ^w-1 x"},
		`call mum on sunday`:               {Title: "call mum on", Due: "2026-11-29"},
		`report wed`:                       {Title: "report", Due: "2026-12-02"},
		`plan next week at 9:00`:           {Title: "plan", Due: "2026-11-30"},
		`plan next sunday`:                 {Title: "plan", Due: "2026-12-06"},
		`plan next month`:                  {Title: "plan", Due: "2026-12-01"},
		`the next step`:                    {Title: "the next step"},
		`tax 1 dec`:                        {Title: "tax", Due: "2026-12-01"},
		`tax 1st May`:                      {Title: "tax", Due: "2027-05-01"},
		`tax dec 24 2030 17:30`:            {Title: "tax", Due: "2030-12-24"},
		`leap 29 feb`:                      {Title: "leap", Due: "2028-02-29"},
		`31 feb`:                           {Title: "31 feb"},
		`2026-12-01 ship`:                  {Title: "ship", Due: "2026-12-01"},
		`2026-02-30 ship`:                  {Title: "2026-02-30 ship"},
		`+3d a`:                            {Title: "a", Due: "2026-11-28"},
		`+2w a`:                            {Title: "a", Due: "2026-12-09"},
		`+3m a`:                            {Title: "a", Due: "2027-02-25"},
		`5pm tomorrow a`:                   {Title: "a", Due: "2026-11-26"},
		`meet at 5pm`:                      {Title: "meet at 5pm"},
		`today or tomorrow`:                {Title: "or tomorrow", Due: "2026-11-25"},
		`#"open a`:                         {Title: `#"open a`},
		``:                                 {},
	} {
		o := Options{Today: wednesday, Known: func(_ Kind, v string) bool {
			return v != "nobody" && v != "none" && v != "nowhere" && v != "NO-1"
		}}
		got := Parse(text, o)
		got.Tokens = nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q)\n got %+v\nwant %+v", text, got, want)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	text := `Größe !2 at 5pm fri #"a b"`
	var got []string
	for _, tok := range Parse(text, Options{Today: wednesday}).Tokens {
		got = append(got, string(tok.Kind)+"="+tok.Value+"<"+text[tok.Start:tok.End]+">")
	}
	want := `priority=2<!2> time=at 5pm<at 5pm> due=2026-11-27<fri> label=a b<#"a b">`
	if s := strings.Join(got, " "); s != want {
		t.Errorf("tokens\n got %s\nwant %s", s, want)
	}
}

// check holds for any text: tokens are in order and apart, and title plus tokens hold every word.
func check(t interface{ Fatalf(string, ...any) }, text string) {
	r := Parse(text, Options{Today: wednesday})
	end, left := 0, ""
	for _, tok := range r.Tokens {
		if tok.Start < end || tok.End <= tok.Start || tok.End > len(text) {
			t.Fatalf("%q: token %+v overlaps or lies outside", text, tok)
		}
		left += text[end:tok.Start] + " "
		end = tok.End
	}
	left += text[end:]
	if a, b := len(strings.Fields(left)), len(strings.Fields(r.Title)); a != b {
		t.Fatalf("%q: %d words are no tokens, the title %q has %d", text, a, r.Title, b)
	}
	if utf8.ValidString(text) && !utf8.ValidString(r.Title) {
		t.Fatalf("%q: the title is not valid UTF-8", text)
	}
	if r.Due != "" {
		if _, err := time.Parse("2006-01-02", r.Due); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
}

func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"a", "!1", "@me", "#x", `#"a b"`, "/todo", "^AB-1", "today", "next", "week", "1", "dec", "5pm", "at", "2027", "+3d", `"`, `\#`, "é"})
	rapid.Check(t, func(t *rapid.T) {
		check(t, strings.Join(rapid.SliceOfN(part, 0, 12).Draw(t, "parts"), " "))
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`Fix login !1 @me #bug tomorrow 5pm ^WEB-12`, `#"a`, `#"a"b`, "\u2003@x\u2003", "\xff#\xff", `1 dec 9999`, `+9999m`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { check(t, s) })
}
