package recur

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		"FREQ=DAILY":                          "FREQ=DAILY",
		"rrule:byday=mo,th;freq=weekly":       "FREQ=WEEKLY;BYDAY=MO,TH",
		"FREQ=MONTHLY;INTERVAL=1;BYDAY=-1FR":  "FREQ=MONTHLY;BYDAY=-1FR",
		"FREQ=WEEKLY;UNTIL=20270101T120000Z":  "FREQ=WEEKLY;UNTIL=20270101",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
		"\tFREQ=DAILY;COUNT=3\n":              "FREQ=DAILY;COUNT=3",
	} {
		got, err := Rules{}.Canonical(rule)
		if err != nil || got != want {
			t.Errorf("Canonical(%q) = %q, %v; want %q", rule, got, err, want)
			continue
		}
		if again, err := (Rules{}).Canonical(got); err != nil || again != got {
			t.Errorf("Canonical(%q) = %q, %v; want the same", got, again, err)
		}
	}
	for _, rule := range []string{
		"", "weekly", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;FREQ=DAILY",
		"FREQ=DAILY;COUNT=2;UNTIL=20270101", "INTERVAL=2", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=13",
		"FREQ=WEEKLY;BYDAY=2MO", "FREQ=DAILY\nFREQ=WEEKLY", "FREQ=DAILY;DTSTART=20200101", "FREQ=DAILY;BYMONTH=" + strings.Repeat("1,", 300),
		"FREQ=WEEKLY;INTERVAL=99999999999999999999", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31", "FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31",
	} {
		_, err := Rules{}.Canonical(rule)
		if e, ok := apperr.As(err); !ok || e.Code != apperr.Invalid || e.Fields[0].Name != "recurrence" {
			t.Errorf("Canonical(%.50q) = %v, want a fault of the field recurrence", rule, err)
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule           string
		due, completed task.Date
		next           task.Date
		rest           string
	}{
		{"FREQ=DAILY", "2026-11-25", "2026-11-25", "2026-11-26", "FREQ=DAILY"},
		{"FREQ=DAILY", "2026-11-25", "2026-11-20", "2026-11-26", "FREQ=DAILY"},                                 // early
		{"FREQ=WEEKLY", "2026-11-25", "2026-12-20", "2026-12-23", "FREQ=WEEKLY"},                               // late: no pile of old ones
		{"FREQ=WEEKLY", "", "2026-11-25", "2026-12-02", "FREQ=WEEKLY"},                                         // from completion
		{"FREQ=WEEKLY;BYDAY=MO,TH", "2026-11-25", "2026-11-25", "2026-11-26", "FREQ=WEEKLY;BYDAY=MO,TH"},       // due on no day of the rule
		{"FREQ=MONTHLY", "2027-01-31", "2027-01-31", "2027-03-31", "FREQ=MONTHLY"},                             // RFC 5545 skips months without the day
		{"FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-31", "2027-01-31", "2027-02-28", "FREQ=MONTHLY;BYMONTHDAY=-1"}, //
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-02-29", "2024-02-29", "2028-02-29", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"},
		{"FREQ=DAILY;COUNT=3", "2026-11-25", "2026-11-25", "2026-11-26", "FREQ=DAILY;COUNT=2"},
		{"FREQ=DAILY;COUNT=3", "2026-11-25", "2026-11-26", "2026-11-27", "FREQ=DAILY;COUNT=1"}, // a skipped one counts
		{"FREQ=DAILY;COUNT=1", "2026-11-25", "2026-11-25", "", ""},
		{"FREQ=DAILY;UNTIL=20261126", "2026-11-25", "2026-11-25", "2026-11-26", "FREQ=DAILY;UNTIL=20261126"},
		{"FREQ=DAILY;UNTIL=20261126", "2026-11-26", "2026-11-26", "", ""},
		{"FREQ=WEEKLY;INTERVAL=2", "2026-11-25", "2026-11-26", "2026-12-09", "FREQ=WEEKLY;INTERVAL=2"},
		{"FREQ=DAILY", "9999-12-31", "2026-11-25", "", ""},
	} {
		next, rest, ok, err := Rules{}.Next(c.rule, c.due, c.completed)
		if err != nil || next != c.next || rest != c.rest || ok != (c.next != "") {
			t.Errorf("Next(%q, %s, %s) = %s, %q, %v, %v; want %s, %q", c.rule, c.due, c.completed, next, rest, ok, err, c.next, c.rest)
		}
	}
}

// TestSeriesEnd: a COUNT of n makes n tasks in all, whenever each is completed.
func TestSeriesEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "count")
		rule, due := "FREQ=DAILY;COUNT="+string(rune('0'+n/10))+string(rune('0'+n%10)), task.Date("2026-11-25")
		tasks := 1
		for {
			next, rest, ok, err := Rules{}.Next(rule, due, due)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if next <= due {
				t.Fatalf("%s is followed by %s", due, next)
			}
			tasks, rule, due = tasks+1, rest, next
		}
		if tasks != n {
			t.Fatalf("COUNT=%d made %d tasks", n, tasks)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU", "FREQ=YEARLY;BYWEEKNO=53;WKST=SU", "freq=daily;until=20270101"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Rules{}.Canonical(s)
		if err != nil {
			return
		}
		if again, err := (Rules{}).Canonical(c); err != nil || again != c {
			t.Fatalf("%q became %q, which becomes %q, %v", s, c, again, err)
		}
		if next, _, ok, err := (Rules{}).Next(c, "2026-11-25", "2026-11-30"); err != nil || ok && next <= "2026-11-30" {
			t.Fatalf("%q goes on at %s, %v", c, next, err)
		}
	})
}
