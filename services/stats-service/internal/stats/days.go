package stats

import (
	"sort"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// MaxDays is the length of a period at most.
const MaxDays = 1830

// Date is a civil date as "2006-01-02"; empty means none. Dates compare as strings.
type Date string

// ParseDate checks a date. The year has four digits, from 1000 on.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1000 {
		return "", apperr.New(apperr.Invalid, "%q is not a date such as 2026-03-31", s)
	}
	return Date(s), nil
}

// DateOf returns the civil date of an instant in a zone.
func DateOf(t time.Time, zone *time.Location) Date { return Date(t.In(zone).Format(time.DateOnly)) }

func (d Date) utc() time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{} // dates are checked where they come in
	}
	return t
}

// Add returns the date n days later.
func (d Date) Add(n int) Date { return Date(d.utc().AddDate(0, 0, n).Format(time.DateOnly)) }

// Sub returns the number of days from e to d.
func (d Date) Sub(e Date) int { return int(d.utc().Sub(e.utc()) / (24 * time.Hour)) }

// Days is a period of whole civil days in a zone, with the instants at which they begin. A day may have 23, 24 or 25
// hours, and none at all where a zone crossed the date line.
type Days struct {
	zone     *time.Location
	from, to Date
	starts   []int64 // microseconds since 1970 at which day i begins; one more for the end of the last
}

// NewDays returns a period; its first and last day are included.
func NewDays(from, to Date, zone *time.Location) (Days, error) {
	n := to.Sub(from) + 1
	if n < 1 {
		return Days{}, apperr.InvalidField("to", "must not be before from (%s)", from)
	}
	if n > MaxDays {
		return Days{}, apperr.InvalidField("from", "the period may have %d days at most, this one has %d", MaxDays, n)
	}
	d := Days{zone: zone, from: from, to: to, starts: make([]int64, n+1)}
	for i := range d.starts {
		d.starts[i] = dayStart(from.Add(i), zone).UnixMicro()
	}
	return d, nil
}

// Len is the number of days.
func (d Days) Len() int { return len(d.starts) - 1 }

// From is the first day.
func (d Days) From() Date { return d.from }

// To is the last day.
func (d Days) To() Date { return d.to }

// Zone is the zone of the days.
func (d Days) Zone() *time.Location { return d.zone }

// Date returns day i, from 0.
func (d Days) Date(i int) Date { return d.from.Add(i) }

// Start returns the instant at which day i begins; Start(Len()) is the end of the period.
func (d Days) Start(i int) time.Time { return time.UnixMicro(d.starts[i]).UTC() }

// Index returns the day of an instant, -1 before the period and Len() after it.
func (d Days) Index(t time.Time) int {
	us := t.UnixMicro()
	return sort.Search(len(d.starts), func(i int) bool { return d.starts[i] > us }) - 1
}

// Contains reports whether an instant falls into the period.
func (d Days) Contains(t time.Time) bool {
	us := t.UnixMicro()
	return us >= d.starts[0] && us < d.starts[len(d.starts)-1]
}

// dayStart returns the instant from which on the zone's calendar shows day or a later date for good. time.Date alone
// does not know it: in zones that switch at midnight, 00:00 may not exist, exist twice, or be followed by an hour of the
// day before. So this walks the zone's few stretches of constant offset around the day and keeps the last passage.
func dayStart(day Date, zone *time.Location) time.Time {
	midnight := day.utc()                          // as a reading of the local clock
	at := midnight.Add(-36 * time.Hour).In(zone)   // offsets are within ±26 h of UTC: surely an earlier date
	until := midnight.Add(36 * time.Hour).In(zone) // surely not earlier
	start := at
	for {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(until) {
			end = until
		}
		crossing := midnight.Add(-time.Duration(offset) * time.Second)
		switch {
		case crossing.After(at) && crossing.Before(end):
			start = crossing // the clock reaches 00:00 here
		case !crossing.After(at) && DateOf(at.Add(-time.Nanosecond), zone) < day:
			start = at // the clock jumps over 00:00 here
		}
		if !end.Before(until) {
			return start.UTC()
		}
		at = end.In(zone)
	}
}
