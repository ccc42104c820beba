package importer

import (
	"maps"
	"slices"
	"strings"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
)

// column is a field a file can have, with the names it is recognised by, best first.
type column struct {
	field    string
	names    []string
	required bool
}

// csvColumns of a file with a row per task. Names are compared without case, spaces, dashes and underscores.
var csvColumns = []column{
	{"id", []string{"id", "key", "issue key", "issue id", "task id", "external id", "number", "ticket"}, false},
	{"title", []string{"title", "summary", "name", "subject", "task name", "issue title"}, false},
	{"description", []string{"description", "body", "details", "notes"}, false},
	{"state", []string{"state", "status", "column", "list", "stage"}, false},
	{"created", []string{"created", "created date", "created at", "creation date", "date created", "opened", "opened at", "issue created date"}, true},
	{"started", []string{"started", "started date", "started at", "in progress", "in progress date", "date started"}, false},
	{"finished", []string{"finished", "finished date", "finished at", "completed", "completed date", "completed at", "done", "done date", "closed", "closed date", "closed at", "resolved", "resolution date", "date completed"}, false},
	{"assignee", []string{"assignee", "assignees", "assigned to", "owner", "responsible"}, false},
	{"labels", []string{"labels", "label", "tags", "tag", "components"}, false},
	{"type", []string{"type", "issue type", "issue type name"}, false},
	{"priority", []string{"priority"}, false},
	{"estimate", []string{"estimate", "points", "story points", "issue points", "effort"}, false},
	{"start", []string{"start", "start date"}, false},
	{"due", []string{"due", "due date", "deadline"}, false},
}

// changelogColumns of a file with a row per change of status.
var changelogColumns = []column{
	{"id", []string{"issue key", "key", "issue", "issue id"}, true},
	{"title", []string{"issue summary", "summary", "issue title", "title"}, false},
	{"type", []string{"issue type name", "issue type", "type"}, false},
	{"created", []string{"issue created date", "created", "created date"}, true},
	{"estimate", []string{"issue points", "points", "story points"}, false},
	{"from", []string{"status from name", "status from", "from status", "from"}, false},
	{"to", []string{"status to name", "status to", "to status", "to"}, true},
	{"category", []string{"status to category name", "status to category", "category"}, false},
	{"changed", []string{"status change date", "change date", "changed", "changed at", "date"}, true},
}

// columns maps fields to indices.
type columns map[string]int

func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-.", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// findColumns maps fields to columns: those given explicitly, and the others by their well-known names.
func findColumns(header []string, known []column, explicit map[string]string) (columns, error) {
	out, used := columns{}, map[int]bool{}
	for _, field := range slices.Sorted(maps.Keys(explicit)) {
		name := explicit[field]
		if !slices.ContainsFunc(known, func(c column) bool { return c.field == field }) {
			return nil, apperr.InvalidField("map."+field, "is no field of this format; there are %s", fieldList(known))
		}
		if name == "" { // no column for this field, whatever the names say
			out[field] = -1
			continue
		}
		i := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(h, strings.TrimSpace(name)) })
		if i < 0 {
			hint := ""
			if near := filter.Nearest(name, header); near != "" {
				hint = "; did you mean \"" + near + "\"?"
			}
			return nil, apperr.InvalidField("map."+field, "the file has no column %q%s", name, hint)
		}
		out[field], used[i] = i, true
	}
	for _, c := range known {
		if _, given := out[c.field]; given {
			continue
		}
		for _, name := range c.names {
			i := slices.IndexFunc(header, func(h string) bool { return fold(h) == fold(name) })
			if i >= 0 && !used[i] {
				out[c.field], used[i] = i, true
				break
			}
		}
	}
	maps.DeleteFunc(out, func(_ string, i int) bool { return i < 0 })
	for _, c := range known {
		if _, ok := out[c.field]; c.required && !ok {
			return nil, apperr.InvalidField("map."+c.field, "no column is called %s; say which one has it (the file has %s)", strings.Join(c.names[:min(3, len(c.names))], ", "), names(header))
		}
	}
	return out, nil
}

func fieldList(known []column) string {
	out := make([]string, len(known))
	for i, c := range known {
		out[i] = c.field
	}
	return strings.Join(out, ", ")
}

// names lists columns for an error message, not too many.
func names(header []string) string {
	const most = 20
	more := ""
	if len(header) > most {
		header, more = header[:most], ", …"
	}
	return strings.Join(header, ", ") + more
}

// get returns the field of a row, trimmed; empty without such a column. A quote that guards text against being run as a
// formula by spreadsheets (our own CSV export adds it) is taken off.
func (c columns) get(fields []string, field string) string {
	i, ok := c[field]
	if !ok || i >= len(fields) {
		return ""
	}
	s := strings.TrimSpace(fields[i])
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune("=+-@", rune(s[1])) {
		return s[1:]
	}
	return s
}

// report tells which columns are used and which are not.
func (r *run) reportColumns(rs *rows) {
	r.report.Columns = map[string]string{}
	used := map[int]bool{}
	for field, i := range rs.columns {
		r.report.Columns[field] = rs.header[i]
		used[i] = true
	}
	r.report.UnusedColumns = nil
	for i, h := range rs.header {
		if !used[i] {
			r.report.UnusedColumns = append(r.report.UnusedColumns, h)
		}
	}
}
