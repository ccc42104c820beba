// Package recur understands recurrence rules: the RRULE of RFC 5545 as far as tasks with a due date need it. It adapts
// rrule-go to what package task asks for.
package recur

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Limits of rules.
const (
	MaxLength   = 500 // bytes
	MaxInterval = 1000
	MaxCount    = 10_000
)

// horizon is how far ahead the next occurrence is looked for. It covers 29 February on a given weekday (up to 40 years
// across a century without a leap day) for rules of interval 1; rules that come true more rarely count as ended.
const horizon = 40 // years

// Rules implements task.Recurrer.
type Rules struct{}

var _ task.Recurrer = Rules{}

// parts that may occur; those of a time of day are left out, because a due date has none.
var parts = []string{"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYWEEKNO", "BYYEARDAY", "WKST"}

// Canonical checks a rule such as "FREQ=WEEKLY;BYDAY=MO,TH" and returns it in one spelling: upper case, FREQ first,
// defaults left out, UNTIL as a day. A rule that no day ever fits is refused.
func (Rules) Canonical(rule string) (string, error) {
	o, err := parse(rule)
	if err != nil {
		return "", err
	}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	all := *o
	all.Until, all.Count = time.Time{}, 0
	first, err := following(all, start, start.AddDate(0, 0, -1), func(time.Time) {})
	if err != nil {
		return "", err
	}
	if first.IsZero() {
		return "", fault("never comes true: no day fits it")
	}
	return text(*o), nil
}

// Next returns the first occurrence behind both the due date and the day of completion, of the series that begins at the
// due date (without one: on the day of completion): who is late does not get a task that is late from the start. rest is
// the rule with a COUNT lowered by the occurrences passed; ok is false if the series has ended.
func (Rules) Next(rule string, due, completed task.Date) (next task.Date, rest string, ok bool, err error) {
	o, err := parse(rule)
	if err != nil {
		return "", "", false, err
	}
	done, valid := completed.Time()
	if !valid {
		return "", "", false, fault("has no day of completion to count from")
	}
	start, hasDue := due.Time()
	if !hasDue {
		start = done
	}
	behind := start
	if done.After(behind) {
		behind = done
	}
	passed := 1 // the task that has just been completed
	until, count := o.Until, o.Count
	all := *o
	all.Until, all.Count = time.Time{}, 0 // counted here, because a due date need not be an occurrence of its rule
	day, err := following(all, start, behind, func(skipped time.Time) {
		if skipped.After(start) {
			passed++
		}
	})
	switch {
	case err != nil:
		return "", "", false, err
	case day.IsZero(), day.Year() > 9999, !until.IsZero() && day.After(until), count > 0 && count <= passed:
		return "", "", false, nil
	}
	if count > 0 {
		o.Count = count - passed
	}
	return task.DateOf(day), text(*o), true, nil
}

// following returns the first occurrence behind a day, or the zero time where none is within the horizon. It hands over
// the ones it skips.
func following(o rrule.ROption, start, behind time.Time, skip func(time.Time)) (time.Time, error) {
	o.Dtstart = start
	o.Until = behind.AddDate(horizon*max(o.Interval, 1), 0, 0)
	if last := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC); o.Until.After(last) {
		o.Until = last
	}
	r, err := rrule.NewRRule(o)
	if err != nil {
		return time.Time{}, fault("cannot be understood: %s", clean(err))
	}
	for next := r.Iterator(); ; {
		day, ok := next()
		if !ok {
			return time.Time{}, nil
		}
		if day.After(behind) {
			return day, nil
		}
		skip(day)
	}
}

// parse reads and checks a rule.
func parse(rule string) (*rrule.ROption, error) {
	if len(rule) > MaxLength {
		return nil, fault("has %d characters; at most %d are allowed", len(rule), MaxLength)
	}
	rule = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(rule)), "RRULE:")
	var seen []string
	for part := range strings.SplitSeq(rule, ";") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok || value == "":
			return nil, fault("must be a rule such as FREQ=WEEKLY;BYDAY=MO")
		case !slices.Contains(parts, name):
			return nil, fault("may have only the parts %s", strings.Join(parts, ", "))
		case slices.Contains(seen, name):
			return nil, fault("has the part %s twice", name)
		}
		seen = append(seen, name)
	}
	o, err := rrule.StrToROption(rule)
	if err != nil {
		return nil, fault("cannot be understood: %s", clean(err))
	}
	switch {
	case o.Freq > rrule.DAILY:
		return nil, fault("can repeat daily, weekly, monthly or yearly, not more often")
	case slices.Contains(seen, "INTERVAL") && (o.Interval < 1 || o.Interval > MaxInterval):
		return nil, fault("needs an INTERVAL from 1 to %d", MaxInterval)
	case slices.Contains(seen, "COUNT") && (o.Count < 1 || o.Count > MaxCount):
		return nil, fault("needs a COUNT from 1 to %d", MaxCount)
	case o.Count > 0 && !o.Until.IsZero():
		return nil, fault("can have COUNT or UNTIL, not both")
	case slices.ContainsFunc(o.Byweekday, func(d rrule.Weekday) bool { return d.N() != 0 }) && o.Freq > rrule.MONTHLY:
		return nil, fault("can number its weekdays (such as 2MO) only monthly and yearly")
	case !o.Until.IsZero() && o.Until.Year() < 1000:
		return nil, fault("needs an UNTIL behind the year 1000")
	}
	if o.Interval == 1 {
		o.Interval = 0
	}
	o.Until = o.Until.UTC().Truncate(24 * time.Hour)
	return o, nil
}

// text writes a rule; UNTIL is a day.
func text(o rrule.ROption) string {
	until := o.Until
	o.Dtstart, o.Until = time.Time{}, time.Time{}
	s := o.RRuleString()
	if !until.IsZero() {
		s += ";UNTIL=" + until.Format(rrule.DateFormat)
	}
	return s
}

func fault(format string, args ...any) error {
	return apperr.InvalidField("recurrence", format, args...)
}

// clean keeps the library's messages, which may quote the input, short and printable.
func clean(err error) string {
	s := strconv.QuoteToASCII(err.Error())
	s = s[1 : len(s)-1]
	return s[:min(len(s), 100)]
}
