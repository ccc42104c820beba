package filter

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// Limits, answered with apperr.Invalid.
const (
	MaxLength = 2000 // bytes of a filter
	MaxTerms  = 40
	MaxValues = 50 // alternatives of one term
)

// Fields lists the names of fields in the order of the documentation.
var Fields = []string{State, Assignee, Label, Priority, Due, Start, Created, Updated, Completed, Estimate, Parent, Is_, Creator, Text}

// ordered fields take <, <=, > and >=.
var ordered = map[string]bool{Priority: true, Due: true, Start: true, Created: true, Updated: true, Completed: true, Estimate: true}

// Parse reads a filter:
//
//	filter = [ term { space term } ]
//	term   = [ "-" ] ( field op values | word | quoted )
//	field  = a name of Fields, ignoring case
//	op     = ":" | "<" | "<=" | ">" | ">="
//	values = value { "," value }            one value only behind <, <=, > and >=
//	value  = quoted | characters other than space, comma and quote
//	quoted = '"' characters, with \" and \\ for quote and backslash '"'
//
// A word or a quoted text alone is a term of the field text, whose comma is no alternative but a character. Errors are
// apperr.Invalid with Field{Name: "filter"} and the byte offset of the fault.
func Parse(source string) (Expr, error) {
	if len(source) > MaxLength {
		return Expr{}, fault(MaxLength, "has %d bytes; at most %d are allowed", len(source), MaxLength)
	}
	for i, r := range source {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(source[i:]); size == 1 {
				return Expr{}, fault(i, "is not valid UTF-8")
			}
		}
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return Expr{}, fault(i, "contains a control character")
		}
	}
	p := parser{src: source}
	e := Expr{Source: source}
	for p.space(); p.at < len(source); p.space() {
		if len(e.Terms) == MaxTerms {
			return Expr{}, fault(p.at, "has more than %d terms", MaxTerms)
		}
		t, err := p.term()
		if err != nil {
			return Expr{}, err
		}
		e.Terms = append(e.Terms, t)
	}
	return e, nil
}

func fault(position int, format string, args ...any) error {
	return apperr.InvalidField("filter", format, args...).At(position)
}

type parser struct {
	src string
	at  int
}

func (p *parser) rest() string { return p.src[p.at:] }

func (p *parser) space() {
	for p.at < len(p.src) {
		r, size := utf8.DecodeRuneInString(p.rest())
		if !unicode.IsSpace(r) {
			return
		}
		p.at += size
	}
}

// end reports whether a term can end here.
func (p *parser) end() bool {
	if p.at == len(p.src) {
		return true
	}
	r, _ := utf8.DecodeRuneInString(p.rest())
	return unicode.IsSpace(r)
}

func (p *parser) term() (Term, error) {
	t := Term{Pos: p.at, Op: Is}
	if strings.HasPrefix(p.rest(), "-") {
		t.Not = true
		p.at++
		if p.end() {
			return t, fault(t.Pos, "has a minus that stands alone; put it directly in front of what it negates, or in quotes")
		}
	}
	name, op, err := p.head()
	if err != nil {
		return t, err
	}
	if name == "" {
		t.Field = Text
		v, err := p.value(true)
		if err != nil {
			return t, err
		}
		t.Values = []string{v}
		return t, p.mustEnd()
	}
	t.Field, t.Op = name, op
	for {
		from := p.at
		v, err := p.value(t.Field == Text)
		if err != nil {
			return t, err
		}
		if v == "" {
			return t, fault(from, "needs a value behind %s%s", t.Field, t.Op)
		}
		t.Values = append(t.Values, v)
		if len(t.Values) > MaxValues {
			return t, fault(from, "has more than %d alternatives in one term", MaxValues)
		}
		if t.Field == Text || !strings.HasPrefix(p.rest(), ",") {
			return t, p.mustEnd()
		}
		if t.Op != Is {
			return t, fault(p.at, "can compare with one value only behind %s", t.Op)
		}
		p.at++
	}
}

// head reads field and operator, if the term has them, and stays in front otherwise.
func (p *parser) head() (name string, op Op, err error) {
	n := 0
	for n < len(p.rest()) && isLetter(p.rest()[n]) {
		n++
	}
	if n == 0 || n == len(p.rest()) {
		return "", "", nil
	}
	after := p.rest()[n:]
	for _, o := range []Op{AtMost, AtLeast, Less, Greater, Is} {
		if !strings.HasPrefix(after, string(o)) {
			continue
		}
		name = strings.ToLower(p.rest()[:n])
		switch {
		case !slices.Contains(Fields, name):
			return "", "", fault(p.at, "knows no field %q%s; put the text in quotes to search for it", p.rest()[:n], didYouMean(name, Fields))
		case o != Is && !ordered[name]:
			return "", "", fault(p.at+n, "cannot compare %s with %s; only %s have an order", name, o, "priority, due, start, created, updated, completed and estimate")
		}
		p.at += n + len(o)
		return name, o, nil
	}
	return "", "", nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// value reads a quoted or bare value; in a text a comma is a character like others.
func (p *parser) value(text bool) (string, error) {
	if strings.HasPrefix(p.rest(), `"`) {
		return p.quoted()
	}
	from := p.at
	for p.at < len(p.src) {
		r, size := utf8.DecodeRuneInString(p.rest())
		if unicode.IsSpace(r) || r == ',' && !text {
			break
		}
		if r == '"' {
			return "", fault(p.at, "has a quote inside of a word; put the whole text in quotes and write \\\" for a quote in it")
		}
		p.at += size
	}
	return p.src[from:p.at], nil
}

func (p *parser) quoted() (string, error) {
	from := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.src); p.at++ {
		switch c := p.src[p.at]; c {
		case '"':
			p.at++
			if strings.TrimSpace(b.String()) == "" {
				return "", fault(from, "has quotes with nothing in them")
			}
			return b.String(), nil
		case '\\':
			if p.at+1 < len(p.src) && (p.src[p.at+1] == '"' || p.src[p.at+1] == '\\') {
				p.at++
				b.WriteByte(p.src[p.at])
				continue
			}
			return "", fault(p.at, "has a backslash that stands in front of neither a quote nor a backslash")
		default:
			b.WriteByte(c)
		}
	}
	return "", fault(from, "has a quote that is never closed")
}

func (p *parser) mustEnd() error {
	if p.end() {
		return nil
	}
	return fault(p.at, "needs a space here")
}

// String returns the canonical text: one space between terms, quotes only where needed. Parse reads it back to the same
// terms.
func (e Expr) String() string {
	var b strings.Builder
	for i, t := range e.Terms {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.String())
	}
	return b.String()
}

// String returns the canonical text of one term.
func (t Term) String() string {
	var b strings.Builder
	if t.Not {
		b.WriteByte('-')
	}
	if t.Field == Text && len(t.Values) == 1 {
		b.WriteString(quoteText(t.Values[0]))
		return b.String()
	}
	b.WriteString(t.Field)
	b.WriteString(string(t.Op))
	for i, v := range t.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(Quote(v))
	}
	return b.String()
}

// Quote returns a value as a filter holds it, in quotes if it needs them.
func Quote(value string) string {
	plain := value != "" && !strings.ContainsFunc(value, func(r rune) bool {
		return unicode.IsSpace(r) || r == ',' || r == '"'
	})
	if plain {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// quoteText quotes also what would be read as a negation or a field.
func quoteText(value string) string {
	if strings.HasPrefix(value, "-") || strings.ContainsAny(value, ":<>") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
	}
	return Quote(value)
}
