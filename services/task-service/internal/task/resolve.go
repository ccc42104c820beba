package task

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// Scope is what the names in a filter mean.
type Scope struct {
	Projects []*project.Project                    // whose states and labels can be named
	People   func() ([]account.Person, error)      // called only if a handle is named
	Task     func(ref Ref) (id uuid.UUID, _ error) // called only if a parent is named
	Me       uuid.UUID
	Now      time.Time
	Zone     *time.Location // of days; nil: UTC
}

// Resolve turns the names of a filter into ids and its dates into days and instants. A name that does not exist is an
// apperr.Invalid of the field "filter" at the term's position, with a suggestion where one is near.
func Resolve(e filter.Expr, s Scope) ([]Condition, error) {
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	r := resolver{Scope: s, today: DateOf(s.Now.In(s.Zone))}
	var out []Condition
	for _, t := range e.Terms {
		c, err := r.condition(t)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

type resolver struct {
	Scope
	today  Date
	people []account.Person
	loaded bool
}

func fault(t filter.Term, format string, args ...any) error {
	return apperr.InvalidField("filter", format, args...).At(t.Pos)
}

func (r *resolver) condition(t filter.Term) (Condition, error) {
	c := Condition{Field: t.Field, Op: t.Op, Not: t.Not}
	var err error
	switch t.Field {
	case filter.State:
		c.IDs, err = r.states(t)
	case filter.Label:
		c.IDs, c.None, err = r.labels(t)
	case filter.Assignee:
		c.IDs, c.None, err = r.persons(t, true)
	case filter.Creator:
		c.IDs, _, err = r.persons(t, false)
	case filter.Parent:
		c.IDs, c.None, err = r.parents(t)
	case filter.Priority:
		c.Op = filter.Is
		c.Numbers, err = priorities(t)
	case filter.Estimate:
		c.Numbers, c.None, err = estimates(t)
	case filter.Due, filter.Start:
		c.Dates, c.None, err = r.dates(t)
	case filter.Created, filter.Updated, filter.Completed:
		c.Op = filter.Is // the span says it all
		c.From, c.Until, c.None, err = r.span(t)
	case filter.Is_:
		c.Flag, err = flag(t)
		c.Today = r.today
	case filter.Text:
		c.Words = Words(strings.Join(t.Values, " "))
		if len(c.Words) == 0 {
			err = fault(t, "has no letters or digits to search for in %s", filter.Quote(shorten(strings.Join(t.Values, " "))))
		}
	default:
		err = fault(t, "knows no field %q", shorten(t.Field))
	}
	return c, err
}

func isNone(value string) bool { return strings.EqualFold(value, "none") }

func (r *resolver) states(t filter.Term) ([]uuid.UUID, error) {
	var out []uuid.UUID
	var names []string
	for _, v := range t.Values {
		found := project.Category(strings.ToLower(v)).Valid()
		for _, p := range r.Projects {
			for _, s := range p.States {
				names = append(names, s.Name)
				if string(s.Category) == strings.ToLower(v) || project.Fold(s.Name) == project.Fold(v) {
					found = true
					if !slices.Contains(out, s.ID) {
						out = append(out, s.ID)
					}
				}
			}
		}
		if !found {
			return nil, fault(t, "No state or category is called %q%s.", shorten(v), suggestion(v, append(names, "backlog", "todo", "doing", "done", "cancelled")))
		}
	}
	return out, nil
}

func (r *resolver) labels(t filter.Term) (out []uuid.UUID, none bool, err error) {
	var names []string
	for _, v := range t.Values {
		found := false
		for _, p := range r.Projects {
			for _, l := range p.Labels {
				names = append(names, l.Name)
				if project.Fold(l.Name) == project.Fold(v) {
					found = true
					out = append(out, l.ID)
				}
			}
		}
		if !found && isNone(v) {
			none, found = true, true
		}
		if !found {
			return nil, false, fault(t, "No label is called %q%s.", shorten(v), suggestion(v, append(names, "none")))
		}
	}
	return out, none, nil
}

func (r *resolver) persons(t filter.Term, noneToo bool) (out []uuid.UUID, none bool, err error) {
	for _, v := range t.Values {
		v = strings.ToLower(strings.TrimPrefix(v, "@"))
		switch {
		case v == "me" && r.Me != uuid.Nil:
			out = append(out, r.Me)
			continue
		case v == "none" && noneToo:
			none = true
			continue
		}
		if !r.loaded {
			if r.people, err = r.People(); err != nil {
				return nil, false, err
			}
			r.loaded = true
		}
		i := slices.IndexFunc(r.people, func(p account.Person) bool { return p.Handle == v })
		if i < 0 {
			handles := []string{"me", "none"}
			for _, p := range r.people {
				handles = append(handles, p.Handle)
			}
			return nil, false, fault(t, "Nobody has the handle %q%s.", shorten(v), suggestion(v, handles))
		}
		out = append(out, r.people[i].ID)
	}
	return out, none, nil
}

func (r *resolver) parents(t filter.Term) (out []uuid.UUID, none bool, err error) {
	for _, v := range t.Values {
		if isNone(v) {
			none = true
			continue
		}
		ref, err := ParseRef(v)
		if err != nil {
			return nil, false, fault(t, "%q is no task such as WEB-12.", shorten(v))
		}
		id, err := r.Task(ref)
		switch {
		case apperr.Is(err, apperr.NotFound):
			return nil, false, fault(t, "There is no task %s.", shorten(strings.ToUpper(v)))
		case err != nil:
			return nil, false, err
		}
		out = append(out, id)
	}
	return out, none, nil
}

var priorityNames = []string{"none", "urgent", "high", "medium", "low"}

// priorities lists the ones that match; in comparisons none is left out, so priority<=2 is urgent and high.
func priorities(t filter.Term) ([]float64, error) {
	var out []float64
	for _, v := range t.Values {
		p := slices.Index(priorityNames, strings.ToLower(v))
		if p < 0 && len(v) == 1 && v[0] >= '0' && v[0] <= '4' {
			p = int(v[0] - '0')
		}
		if p < 0 {
			return nil, fault(t, "%q is no priority%s; use 0 to 4 or none, urgent, high, medium, low.", shorten(v), suggestion(v, priorityNames))
		}
		if t.Op == filter.Is {
			out = append(out, float64(p))
			continue
		}
		for q := 1; q <= 4; q++ {
			if compares(t.Op, q-p) {
				out = append(out, float64(q))
			}
		}
		if len(out) == 0 {
			return nil, fault(t, "No priority is %s %s.", t.Op, v)
		}
	}
	return out, nil
}

func compares(op filter.Op, difference int) bool {
	switch op {
	case filter.Less:
		return difference < 0
	case filter.AtMost:
		return difference <= 0
	case filter.Greater:
		return difference > 0
	case filter.AtLeast:
		return difference >= 0
	}
	return difference == 0
}

func estimates(t filter.Term) (out []float64, none bool, err error) {
	for _, v := range t.Values {
		if isNone(v) && t.Op == filter.Is {
			none = true
			continue
		}
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || !(n >= 0 && n <= MaxEstimate) {
			return nil, false, fault(t, "%q is no estimate; use a number from 0 to %d, or none.", shorten(v), MaxEstimate)
		}
		out = append(out, n)
	}
	return out, none, nil
}

func (r *resolver) dates(t filter.Term) (out []Date, none bool, err error) {
	for _, v := range t.Values {
		if isNone(v) && t.Op == filter.Is {
			none = true
			continue
		}
		d, ok := relativeDate(v, r.today)
		if !ok {
			return nil, false, notADate(t, v)
		}
		out = append(out, d)
	}
	return out, none, nil
}

func notADate(t filter.Term, v string) error {
	return fault(t, "%q is no date; use 2026-12-01, today, tomorrow, yesterday, +7d, -2w, +1m or none.", shorten(v))
}

// relativeDate reads a date, a day near today, or an offset from it.
func relativeDate(v string, today Date) (Date, bool) {
	day, ok := today.Time()
	if !ok {
		return "", false
	}
	switch v = strings.ToLower(v); v {
	case "today":
		return today, true
	case "tomorrow":
		return DateOf(day.AddDate(0, 0, 1)), true
	case "yesterday":
		return DateOf(day.AddDate(0, 0, -1)), true
	}
	if len(v) >= 3 && (v[0] == '+' || v[0] == '-') {
		n, err := strconv.ParseUint(v[1:len(v)-1], 10, 14)
		if err != nil || n > 9999 {
			return "", false
		}
		k := int(n)
		if v[0] == '-' {
			k = -k
		}
		switch v[len(v)-1] {
		case 'd':
			day = day.AddDate(0, 0, k)
		case 'w':
			day = day.AddDate(0, 0, 7*k)
		case 'm':
			first := day.AddDate(0, k, 1-day.Day())
			day = first.AddDate(0, 0, min(day.Day(), first.AddDate(0, 1, -1).Day())-1)
		default:
			return "", false
		}
		return DateOf(day), day.Year() >= 1000 && day.Year() <= 9999
	}
	d := Date(v)
	_, ok = d.Time()
	return d, ok
}

// span returns the instants of a day, or of all before or behind it, in the viewer's zone.
func (r *resolver) span(t filter.Term) (from, until time.Time, none bool, err error) {
	days := 0
	for _, v := range t.Values {
		if isNone(v) && t.Op == filter.Is && t.Field == filter.Completed {
			none = true
			continue
		}
		d, ok := relativeDate(v, r.today)
		if !ok {
			return from, until, false, notADate(t, v)
		}
		if days++; days > 1 {
			return from, until, false, fault(t, "%s takes one day; write %s>=… %s<=… for several.", t.Field, t.Field, t.Field)
		}
		day, _ := d.Time() // checked by relativeDate
		start := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, r.Zone).UTC()
		end := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, r.Zone).UTC()
		switch t.Op {
		case filter.Less:
			until = start
		case filter.AtMost:
			until = end
		case filter.Greater:
			from = end
		case filter.AtLeast:
			from = start
		default:
			from, until = start, end
		}
	}
	return from, until, none, nil
}

var flags = []string{"open", "done", "overdue", "blocked", "blocking", "subtask", "recurring", "unassigned"}

func flag(t filter.Term) (string, error) {
	if len(t.Values) > 1 {
		return "", fault(t, "is: takes one value; write %s… for several that must all hold.", "is:"+shorten(t.Values[0])+" is:")
	}
	v := strings.ToLower(t.Values[0])
	if !slices.Contains(flags, v) {
		return "", fault(t, "%q is none of %s%s.", shorten(v), strings.Join(flags, ", "), suggestion(v, flags))
	}
	return v, nil
}

func suggestion(name string, known []string) string {
	if best := filter.Nearest(name, known); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	return ""
}

// Words splits a text as the search does: lower-case runs of letters, marks and digits.
func Words(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	slices.Sort(words)
	return slices.Compact(words)
}
