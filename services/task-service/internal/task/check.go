package task

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// faults collects what is wrong with the fields of one request, so that people see all of it at once.
type faults []apperr.Field

func (f *faults) addf(name, format string, args ...any) {
	*f = append(*f, apperr.Field{Name: name, Message: fmt.Sprintf(format, args...)})
}

func (f *faults) err() error {
	if len(*f) == 0 {
		return nil
	}
	return apperr.InvalidFields(*f...)
}

// line checks a text of one line: trimmed, not empty, at most limit characters.
func (f *faults) line(name, s string, limit int) string {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		f.addf(name, "must not be empty")
	case !utf8.ValidString(s):
		f.addf(name, "is not valid UTF-8")
	case utf8.RuneCountInString(s) > limit:
		f.addf(name, "has %d characters; at most %d are allowed", utf8.RuneCountInString(s), limit)
	case strings.IndexFunc(s, unicode.IsControl) >= 0:
		f.addf(name, "must be one line without control characters")
	}
	return s
}

// text checks a text of many lines, which may be empty. Line ends become \n.
func (f *faults) text(name, s string, limit int) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	switch {
	case !utf8.ValidString(s):
		f.addf(name, "is not valid UTF-8")
	case utf8.RuneCountInString(s) > limit:
		f.addf(name, "has %d characters; at most %d are allowed", utf8.RuneCountInString(s), limit)
	case strings.ContainsRune(s, 0):
		f.addf(name, "must not contain a NUL character")
	}
	return s
}

// DateLayout of a Date.
const DateLayout = "2006-01-02"

// DateOf returns the day of an instant in its location.
func DateOf(t time.Time) Date { return Date(t.Format(DateLayout)) }

// Time returns the beginning of the day in UTC; ok is false for the empty and for malformed dates. Years are 1000–9999.
func (d Date) Time() (t time.Time, ok bool) {
	t, err := time.Parse(DateLayout, string(d))
	return t, err == nil && t.Year() >= 1000
}

func (f *faults) date(name string, d Date) {
	if d == "" {
		return
	}
	if _, ok := d.Time(); !ok {
		f.addf(name, "%q is not a date such as 2026-12-01", shorten(string(d)))
	}
}

func (f *faults) estimate(e *float64) {
	if e != nil && (math.IsNaN(*e) || math.IsInf(*e, 0) || *e < 0 || *e > MaxEstimate) {
		f.addf("estimate", "must be a number from 0 to %d", MaxEstimate)
	}
}

func (f *faults) priority(p Priority) {
	if p < NoPriority || p > Low {
		f.addf("priority", "must be 0 (none), 1 (urgent), 2 (high), 3 (medium) or 4 (low)")
	}
}

// ids removes duplicates, keeps the order, and checks those that are not in had.
func (f *faults) ids(name string, given, had []uuid.UUID, limit int, known func(uuid.UUID) bool, what string) []uuid.UUID {
	var out []uuid.UUID
	for i, id := range given {
		if slices.Contains(out, id) {
			continue
		}
		if !slices.Contains(had, id) && !known(id) {
			f.addf(fmt.Sprintf("%s[%d]", name, i), "there is no %s %s", what, id)
			continue
		}
		out = append(out, id)
	}
	if len(out) > limit {
		f.addf(name, "has %d entries; at most %d are allowed", len(out), limit)
	}
	return out
}

func sameSet(a, b []uuid.UUID) bool {
	if len(a) != len(b) {
		return false
	}
	for _, id := range a {
		if !slices.Contains(b, id) {
			return false
		}
	}
	return true
}

// shorten keeps texts of callers in error messages readable.
func shorten(s string) string {
	const most = 60
	s = strings.ToValidUTF8(s, "?")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
