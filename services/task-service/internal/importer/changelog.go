package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// change is a row of a changelog. Fields are exported for gob.
type change struct {
	Line        int64
	Key         string
	Title, Type string
	Estimate    string
	Created, At time.Time
	From, To    string
	Fault       string // the row cannot be used, and so neither can its issue
}

// byIssue orders changes by issue, as Jira counts them (AB-2 before AB-10), and by time in each.
func byIssue(a, b change) int {
	if a.Key != b.Key {
		ap, an := splitKey(a.Key)
		bp, bn := splitKey(b.Key)
		if c := strings.Compare(ap, bp); c != 0 {
			return c
		}
		if an != bn {
			if an < bn {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Key, b.Key)
	}
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return int(a.Line - b.Line)
}

func splitKey(key string) (prefix string, number uint64) {
	i := strings.LastIndexByte(key, '-')
	if i < 0 {
		return key, 0
	}
	n, err := strconv.ParseUint(key[i+1:], 10, 63)
	if err != nil {
		return key, 0
	}
	return key[:i], n
}

// changelog imports a file with a row per change of status. Rows may come in any order: they are sorted by issue first,
// in temporary files where there are many.
func (r *run) changelog(ctx context.Context, s *spool) error {
	rs, err := r.openRows(s, changelogColumns)
	if err != nil {
		return err
	}
	r.reportColumns(rs)
	sorted := &sorter[change]{dir: r.d.TempDir, most: sortMemory, compare: byIssue}
	defer sorted.close()
	categories := categoriesByName{}
	for {
		row, err := rs.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		r.total++
		c := r.changeOf(rs.columns, row, categories)
		if c.Key == "" {
			r.report.Rows++
			r.refuse(c.Line, 1, "", c.Fault)
			continue
		}
		if err := sorted.add(c); err != nil {
			return err
		}
		if r.total%10_000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	var issue []change
	err = sorted.each(func(c change) error {
		if len(issue) > 0 && issue[0].Key != c.Key {
			if err := r.issue(ctx, issue, categories); err != nil {
				return err
			}
			issue = issue[:0]
		}
		if len(issue) == MaxIssueRows {
			return apperr.New(apperr.Invalid, "Line %d: issue %s has more than %d changes.", c.Line, shorten(c.Key), MaxIssueRows)
		}
		issue = append(issue, c)
		return nil
	})
	if err != nil {
		return err
	}
	return r.issue(ctx, issue, categories)
}

// categoriesByName has what the file says of states, by folded name. The first says.
type categoriesByName map[string]project.Category

func (c categoriesByName) of(name string) project.Category {
	if found, ok := c[project.Fold(name)]; ok {
		return found
	}
	return guessCategory(name)
}

// changeOf reads a row. A row of a known issue that cannot be used keeps the issue's key, so that the issue is refused
// rather than imported with a gap in its history.
func (r *run) changeOf(c columns, row row, categories categoriesByName) change {
	get := func(field string) string { return c.get(row.fields, field) }
	out := change{Line: row.line, Key: get("id"), Fault: row.fault}
	if row.fault != "" {
		return out
	}
	if out.Key == "" {
		out.Fault = "has no issue key"
		return out
	}
	out.Title, out.Type, out.Estimate, out.From, out.To = get("title"), get("type"), get("estimate"), get("from"), get("to")
	created, f1 := r.moment("created", get("created"))
	at, f2 := r.moment("changed", get("changed"))
	out.Created, out.At = created.at, at.at
	switch {
	case f1 != "":
		out.Fault = f1
	case f2 != "":
		out.Fault = f2
	case created.at.IsZero():
		out.Fault = "has no date of the issue's creation"
	case at.at.IsZero():
		out.Fault = "has no date of the change"
	case out.To == "":
		out.Fault = "does not say to which status it went"
	}
	if at.day && out.At.Before(out.Created) && out.At.Equal(out.Created.Truncate(24*time.Hour)) {
		out.At = out.Created // the day of creation
	}
	if category, ok := categoryNamed(get("category")); ok && out.To != "" {
		if _, said := categories[project.Fold(out.To)]; !said {
			categories[project.Fold(out.To)] = category
		}
	}
	return out
}

// issue makes one task of an issue's changes, which are in order of time.
func (r *run) issue(ctx context.Context, changes []change, categories categoriesByName) error {
	if len(changes) == 0 {
		return nil
	}
	r.report.Rows += int64(len(changes))
	first := changes[0]
	for _, c := range changes {
		if c.Fault == "" {
			continue
		}
		reason := c.Fault
		if len(changes) > 1 {
			reason += fmt.Sprintf(" (so all %d rows of the issue are left out)", len(changes))
		}
		r.refuse(c.Line, int64(len(changes)), c.Key, reason)
		return nil
	}
	rec := record{line: first.Line, rows: int64(len(changes)), source: first.Key, created: first.Created}
	for _, c := range changes {
		rec.title = pick(rec.title, c.Title)
		if t := splitList(c.Type, "\n"); len(t) > 0 && len(rec.labels) == 0 {
			rec.labels = t
		}
		if c.Created.Before(rec.created) {
			rec.created = c.Created
		}
	}
	rec.title = pick(rec.title, first.Key)
	var fault string
	if rec.estimate, fault = estimate(first.Estimate); fault != "" {
		r.refuse(first.Line, rec.rows, first.Key, fault)
		return nil
	}
	if first.At.Before(rec.created) {
		if r.o.InvalidDates != Clamp {
			r.refuse(first.Line, rec.rows, first.Key, fmt.Sprintf("changed %s before the issue was created %s", first.At.Format(time.DateTime), rec.created.Format(time.DateTime)))
			return nil
		}
		rec.clamped, rec.created = true, first.At
	}
	r.follow(&rec, changes, categories)
	return r.add(ctx, rec)
}

func pick(have, other string) string {
	if have != "" {
		return have
	}
	return other
}

// follow turns changes into entries into states. The status before the first change is where the issue began; a first
// row without one, at the creation, says the same.
func (r *run) follow(rec *record, changes []change, categories categoriesByName) {
	first := changes[0]
	begin := first.From
	if begin == "" && first.At.Equal(rec.created) {
		begin, changes = first.To, changes[1:]
	}
	if begin != "" {
		rec.initial = &stateAt{name: begin, category: categories.of(begin), at: rec.created}
	}
	changes = slices.CompactFunc(slices.Clone(changes), func(a, b change) bool { return a.At.Equal(b.At) && a.To == b.To })
	for _, c := range changes {
		rec.entries = append(rec.entries, stateAt{name: c.To, category: categories.of(c.To), at: c.At})
	}
}
