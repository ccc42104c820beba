package quickadd

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	isoDate   = regexp.MustCompile(`^(\d{4})-(\d{2})-(\d{2})$`)
	offset    = regexp.MustCompile(`^\+(\d{1,4})([dwm])$`)
	dayOf     = regexp.MustCompile(`^([1-9]|[12]\d|3[01])(?:st|nd|rd|th)?$`)
	yearOf    = regexp.MustCompile(`^[12]\d{3}$`)
	timeOfDay = regexp.MustCompile(`^(?:(?:[1-9]|1[0-2])(?::[0-5]\d)?(?:am|pm)|(?:[01]?\d|2[0-3]):[0-5]\d)$`)
)

var weekdays = map[string]time.Weekday{
	"mon": 1, "monday": 1, "tue": 2, "tues": 2, "tuesday": 2, "wed": 3, "wednesday": 3, "thu": 4, "thurs": 4, "thursday": 4,
	"fri": 5, "friday": 5, "sat": 6, "saturday": 6, "sun": 0, "sunday": 0,
}

var months = map[string]int{
	"jan": 1, "january": 1, "feb": 2, "february": 2, "mar": 3, "march": 3, "apr": 4, "april": 4, "may": 5, "jun": 6, "june": 6,
	"jul": 7, "july": 7, "aug": 8, "august": 8, "sep": 9, "sept": 9, "september": 9, "oct": 10, "october": 10,
	"nov": 11, "november": 11, "dec": 12, "december": 12,
}

// day reads a date at word i and returns how many words it takes; 0 if there is none.
func (p *parser) day(i int) (words int, day time.Time) {
	today := time.Date(p.o.Today.Year(), p.o.Today.Month(), p.o.Today.Day(), 0, 0, 0, 0, time.UTC)
	w, next := strings.ToLower(p.word(i)), strings.ToLower(p.word(i+1))
	switch w {
	case "":
		return 0, today
	case "today":
		return 1, today
	case "tomorrow":
		return 1, today.AddDate(0, 0, 1)
	case "yesterday":
		return 1, today.AddDate(0, 0, -1)
	case "next":
		monday := today.AddDate(0, 0, ahead(today, time.Monday))
		if next == "week" {
			return 2, monday
		}
		if next == "month" {
			return 2, time.Date(today.Year(), today.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		}
		if d, ok := weekdays[next]; ok {
			return 2, monday.AddDate(0, 0, (int(d)+6)%7)
		}
		return 0, today
	}
	if d, ok := weekdays[w]; ok {
		return 1, today.AddDate(0, 0, ahead(today, d))
	}
	if m := isoDate.FindStringSubmatch(w); m != nil {
		if t, ok := date(number(m[1]), number(m[2]), number(m[3])); ok {
			return 1, t
		}
	}
	if m := offset.FindStringSubmatch(w); m != nil {
		return 1, later(today, number(m[1]), m[2])
	}
	if m := dayOf.FindStringSubmatch(w); m != nil && months[next] > 0 {
		return p.dayAndMonth(i, today, number(m[1]), months[next])
	}
	if m := dayOf.FindStringSubmatch(next); m != nil && months[w] > 0 {
		return p.dayAndMonth(i, today, number(m[1]), months[w])
	}
	return 0, today
}

// dayAndMonth takes a year behind them, or the next such day from today on.
func (p *parser) dayAndMonth(i int, today time.Time, day, month int) (int, time.Time) {
	if y := p.word(i + 2); yearOf.MatchString(y) {
		if t, ok := date(number(y), month, day); ok {
			return 3, t
		}
	}
	for year := today.Year(); year <= today.Year()+8; year++ { // 29 feb may take eight years
		if t, ok := date(year, month, day); ok && !t.Before(today) {
			return 2, t
		}
	}
	return 0, today
}

// clock reads a time of day at word i, with or without "at", and returns how many words it takes.
func (p *parser) clock(i int) int {
	if timeOfDay.MatchString(strings.ToLower(p.word(i))) {
		return 1
	}
	if strings.EqualFold(p.word(i), "at") && timeOfDay.MatchString(strings.ToLower(p.word(i+1))) {
		return 2
	}
	return 0
}

// ahead returns the days to the next such weekday, 1 to 7.
func ahead(today time.Time, d time.Weekday) int {
	return (int(d)-int(today.Weekday())+6)%7 + 1
}

// later adds days, weeks or months; a month without the day ends on its last day.
func later(today time.Time, n int, unit string) time.Time {
	switch unit {
	case "d":
		return today.AddDate(0, 0, n)
	case "w":
		return today.AddDate(0, 0, 7*n)
	}
	first := time.Date(today.Year(), today.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(today.Day(), last)-1)
}

// number reads digits a pattern has matched.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0 // at most four digits get here
	}
	return n
}
