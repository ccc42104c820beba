package quickadd

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Parse reads the one-line form. Tokens stand between spaces, in any order and number:
//
//	!0 … !4              priority; the last one counts
//	@handle @me          assignees
//	#label #"two words"  labels
//	/state /"two words"  state; the last one counts
//	^WEB-12              parent; the last one counts
//	today tomorrow yesterday, mon … sunday (the next one, today excluded), next week (its Monday), next monday … (of next
//	week), next month (its first day), 2026-12-01, 1 dec, 1 december 2027, dec 1, +3d +2w +1m
//	                     due; the first one counts, further ones stay in the title
//	5pm 5:30pm 17:00, with or without "at", directly beside the due date: understood and dropped, because due is a date
//
// What is no token, and a token whose name is not known, stays in the title, and so does one behind a backslash, which is
// dropped: \#1. Parse never fails; an empty title is for the caller to refuse.
func Parse(text string, o Options) Result {
	p := parser{text: text, words: split(text), o: o}
	p.run()
	p.r.Title = p.title()
	slices.SortFunc(p.r.Tokens, func(a, b Token) int { return a.Start - b.Start })
	return p.r
}

// word is a part of the text between spaces; quotes behind a mark keep spaces inside.
type word struct{ start, end int }

type parser struct {
	text  string
	words []word
	o     Options
	r     Result
	taken []bool // per word: part of a token
}

func (p *parser) run() {
	p.taken = make([]bool, len(p.words))
	for i := 0; i < len(p.words); i++ {
		if p.mark(i) {
			continue
		}
		if p.r.Due == "" {
			i += max(p.due(i)-1, 0)
		}
	}
}

func (p *parser) word(i int) string {
	if i < 0 || i >= len(p.words) {
		return ""
	}
	return p.text[p.words[i].start:p.words[i].end]
}

// mark reads a token that begins with a mark.
func (p *parser) mark(i int) bool {
	w := p.word(i)
	value, ok := unquote(w[1:])
	if !ok || value == "" {
		return false
	}
	switch w[0] {
	case '!':
		if len(w) != 2 || w[1] < '0' || w[1] > '4' {
			return false
		}
		p.r.Priority = int(w[1] - '0')
		return p.take(Priority, i, 1, value)
	case '@':
		value = strings.ToLower(value)
		if !p.known(Assignee, value) {
			return false
		}
		if !slices.Contains(p.r.Assignees, value) {
			p.r.Assignees = append(p.r.Assignees, value)
		}
		return p.take(Assignee, i, 1, value)
	case '#':
		if !p.known(Label, value) {
			return false
		}
		if !slices.ContainsFunc(p.r.Labels, func(l string) bool { return strings.EqualFold(l, value) }) {
			p.r.Labels = append(p.r.Labels, value)
		}
		return p.take(Label, i, 1, value)
	case '/':
		if !p.known(State, value) {
			return false
		}
		p.r.State = value
		return p.take(State, i, 1, value)
	case '^':
		value = strings.ToUpper(value)
		if !isKey(value) || !p.known(Parent, value) {
			return false
		}
		p.r.Parent = value
		return p.take(Parent, i, 1, value)
	}
	return false
}

func (p *parser) known(k Kind, value string) bool { return p.o.Known == nil || p.o.Known(k, value) }

// take marks n words from i as one token.
func (p *parser) take(k Kind, i, n int, value string) bool {
	for j := i; j < i+n; j++ {
		p.taken[j] = true
	}
	p.r.Tokens = append(p.r.Tokens, Token{Kind: k, Start: p.words[i].start, End: p.words[i+n-1].end, Value: value})
	return true
}

// due reads a date with the time of day beside it, and returns how many words from i on are taken.
func (p *parser) due(i int) int {
	from := i
	before := p.clock(i) // "5pm tomorrow"
	if before > 0 {
		i += before
	}
	n, day := p.day(i)
	if n == 0 {
		return 0
	}
	if before > 0 {
		p.take(Time, from, before, p.text[p.words[from].start:p.words[from+before-1].end])
	}
	p.r.Due = day.Format("2006-01-02")
	p.take(Due, i, n, p.r.Due)
	i += n
	if before == 0 {
		if after := p.clock(i); after > 0 {
			p.take(Time, i, after, p.text[p.words[i].start:p.words[i+after-1].end])
			i += after
		}
	}
	return i - from
}

// title joins what is left.
func (p *parser) title() string {
	var b strings.Builder
	for i := range p.words {
		if p.taken[i] {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		w := p.word(i)
		if len(w) > 1 && w[0] == '\\' && strings.ContainsRune(marks, rune(w[1])) {
			w = w[1:]
		}
		b.WriteString(w)
	}
	return b.String()
}

const marks = "!@#/^"

// split returns the words of the text.
func split(text string) []word {
	var out []word
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if unicode.IsSpace(r) {
			at += size
			continue
		}
		start := at
		if strings.ContainsRune(marks, r) && strings.HasPrefix(text[at+1:], `"`) {
			if end := strings.IndexByte(text[at+2:], '"'); end >= 0 {
				behind := at + 2 + end + 1
				if next, _ := utf8.DecodeRuneInString(text[behind:]); behind == len(text) || unicode.IsSpace(next) {
					out = append(out, word{start, behind})
					at = behind
					continue
				}
			}
		}
		for at < len(text) {
			r, size := utf8.DecodeRuneInString(text[at:])
			if unicode.IsSpace(r) {
				break
			}
			at += size
		}
		out = append(out, word{start, at})
	}
	return out
}

// unquote returns a value without its quotes and collapsed spaces; ok is false for a quote that is not closed.
func unquote(s string) (string, bool) {
	if !strings.HasPrefix(s, `"`) {
		return s, !strings.Contains(s, `"`)
	}
	if len(s) < 2 || !strings.HasSuffix(s, `"`) {
		return "", false
	}
	return strings.Join(strings.Fields(s[1:len(s)-1]), " "), true
}

// isKey reports whether s looks like WEB-12.
func isKey(s string) bool {
	key, number, ok := strings.Cut(s, "-")
	if !ok || len(key) < 2 || len(key) > 10 || key[0] < 'A' || key[0] > 'Z' || number == "" || len(number) > 18 || number[0] == '0' {
		return false
	}
	for _, c := range key {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return strings.Trim(number, "0123456789") == ""
}

// date returns midnight UTC of a civil date, if it exists and lies in the years 1000–9999.
func date(year, month, day int) (time.Time, bool) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t, year >= 1000 && year <= 9999 && t.Day() == day && int(t.Month()) == month
}
