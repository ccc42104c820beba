package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// layouts of dates and times that mean one thing only; 01/02/2006 and the like need Options.DateFormat.
var layouts = []string{
	"2006-01-02", time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999-0700", "2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", "2006/01/02", "2006/01/02 15:04:05", "2006/01/02 15:04",
	"02.01.2006", "2.1.2006", "02.01.2006 15:04", "02.01.2006 15:04:05", "2 Jan 2006", "Jan 2, 2006", "2 January 2006",
	"January 2, 2006", "02/Jan/06", "02/Jan/06 3:04 PM", "02/Jan/2006", "02/Jan/2006 15:04", "20060102", "20060102T150405Z", time.RFC1123Z,
}

// moment is a point in time; day: the file named only the day.
type moment struct {
	at  time.Time
	day bool
}

// ParseDate reads a date or time: RFC 3339, ISO 8601 without zone, 2026-12-01, 2026/12/01, 01.12.2026, 1 Dec 2026,
// Dec 1, 2026, 01/Dec/26 3:04 PM and their relatives; first of all the layout given. Without a zone it is in the zone
// given. day tells that there was no time of day.
func ParseDate(text, layout string, zone *time.Location) (at time.Time, day bool, err error) {
	tried := layouts
	if layout != "" {
		tried = append([]string{goLayout(layout)}, layouts...)
	}
	for _, l := range tried {
		t, err := time.ParseInLocation(l, text, zone)
		if err == nil && t.Year() >= 1900 && t.Year() <= 9999 {
			return t.UTC().Truncate(time.Microsecond), !strings.Contains(l, "15") && !strings.Contains(l, "3:04"), nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%q is no date that can be read; say its format, such as DD/MM/YYYY", shorten(text))
}

// goLayout turns YYYY, MM, DD, hh, mm and ss into Go's layout.
func goLayout(layout string) string {
	if !strings.Contains(layout, "YY") {
		return layout
	}
	return strings.NewReplacer("YYYY", "2006", "YY", "06", "MM", "01", "DD", "02", "hh", "15", "HH", "15", "mm", "04", "ss", "05").Replace(layout)
}

// moment reads a point in time that has passed; empty text gives the zero moment.
func (r *run) moment(name, text string) (moment, string) {
	if text == "" {
		return moment{}, ""
	}
	at, day, err := ParseDate(text, r.o.DateFormat, r.o.Zone)
	switch {
	case err != nil:
		return moment{}, name + ": " + err.Error()
	case at.After(r.now.Add(24 * time.Hour)):
		return moment{}, fmt.Sprintf("%s: %s lies in the future", name, shorten(text))
	case at.After(r.now): // today, in a zone that is ahead
		at = r.now
	}
	return moment{at, day}, ""
}

// date reads a civil date.
func (r *run) date(name, text string) (task.Date, string) {
	if text == "" {
		return "", ""
	}
	at, _, err := ParseDate(text, r.o.DateFormat, r.o.Zone)
	if err != nil {
		return "", name + ": " + err.Error()
	}
	return task.DateOf(at.In(r.o.Zone)), ""
}

// estimate reads a number; both 1.5 and 1,5.
func estimate(text string) (*float64, string) {
	if text == "" {
		return nil, ""
	}
	f, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if err != nil {
		return nil, fmt.Sprintf("estimate: %q is no number", shorten(text))
	}
	return &f, ""
}

var priorities = map[string]task.Priority{
	"": 0, "0": 0, "none": 0, "no priority": 0, "1": 1, "urgent": 1, "highest": 1, "critical": 1, "blocker": 1,
	"2": 2, "high": 2, "major": 2, "3": 3, "medium": 3, "normal": 3, "4": 4, "low": 4, "lowest": 4, "minor": 4, "trivial": 4,
}

func priority(text string) (task.Priority, string) {
	p, ok := priorities[strings.ToLower(text)]
	if !ok {
		return 0, fmt.Sprintf("priority: %q is none of urgent, high, medium, low, none and 0 to 4", shorten(text))
	}
	return p, ""
}

// splitList splits at the separators and drops empty parts and repetitions.
func splitList(text, separators string) []string {
	var out []string
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if s = strings.Join(strings.Fields(s), " "); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// categoryNamed reads the names Jira and Tallyboard have for categories.
func categoryNamed(name string) (project.Category, bool) {
	switch fold(name) {
	case "backlog":
		return project.Backlog, true
	case "todo", "new":
		return project.Todo, true
	case "doing", "inprogress", "indeterminate":
		return project.Doing, true
	case "done", "complete":
		return project.Done, true
	case "cancelled", "canceled":
		return project.Cancelled, true
	}
	return "", false
}

// hints say by parts of its name what a state is; what matches none is doing.
var hints = []struct {
	category project.Category
	words    []string
}{
	{project.Cancelled, []string{"cancel", "wontdo", "wontfix", "won'tdo", "won'tfix", "won’tdo", "reject", "duplicate", "invalid", "abandon", "obsolete", "declin", "discard"}},
	{project.Doing, []string{"notdone", "inreview", "intest", "indevelop", "readyforreview", "readyfortest", "readyforqa", "readyforrelease", "readyfordeploy", "readytodeploy", "readytorelease"}},
	{project.Backlog, []string{"backlog", "icebox", "inbox", "triage", "idea", "later", "someday"}},
	{project.Todo, []string{"todo", "open", "ready", "selected", "planned", "next", "queue", "new", "waitingforsupport"}},
	{project.Done, []string{"done", "closed", "resolved", "complete", "finish", "released", "deployed", "shipped", "accepted", "verified", "live"}},
}

// guessCategory says what a state of this name probably means.
func guessCategory(name string) project.Category {
	if c, ok := categoryNamed(name); ok {
		return c
	}
	n := fold(name)
	for _, h := range hints {
		if slices.ContainsFunc(h.words, func(w string) bool { return strings.Contains(n, w) }) {
			return h.category
		}
	}
	return project.Doing
}

// shorten keeps what a file says readable in a reason.
func shorten(s string) string {
	const most = 60
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) <= most {
		return string(r)
	}
	return string(r[:most]) + "…"
}
