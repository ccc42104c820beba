package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// csv imports a file with a row per task. Without started dates a task goes from where new tasks begin to done; with
// them, it is in progress in between. A state column says in which state the task is now.
func (r *run) csv(ctx context.Context, s *spool) error {
	if err := r.countRows(ctx, s, csvColumns); err != nil {
		return err
	}
	rs, err := r.openRows(s, csvColumns)
	if err != nil {
		return err
	}
	r.reportColumns(rs)
	seen := map[[16]byte]int64{} // hash of the id, or of the row where there is no id → its line
	for {
		row, err := rs.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		r.report.Rows++
		if row.fault != "" {
			r.refuse(row.line, 1, "", row.fault)
			continue
		}
		rec, fault := r.recordOf(rs.columns, row)
		if fault == "" {
			fault = identify(&rec, row, rs.columns, seen)
		}
		if fault != "" {
			r.refuse(row.line, 1, rs.columns.get(row.fields, "id"), fault)
			continue
		}
		if err := r.add(ctx, rec); err != nil {
			return err
		}
	}
}

// countRows is the first pass: it finds out whether the file can be read to its end.
func (r *run) countRows(ctx context.Context, s *spool, known []column) error {
	rs, err := r.openRows(s, known)
	if err != nil {
		return err
	}
	for {
		_, err := rs.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.total++; r.total%10_000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// identify gives the record its external id: the id column's or, without one, a hash of the row and of how many equal
// ones came before.
func identify(rec *record, row row, c columns, seen map[[16]byte]int64) (fault string) {
	if rec.source != "" {
		sum := hashOf("id", rec.source)
		key := [16]byte(sum[:16])
		if line, twice := seen[key]; twice {
			return fmt.Sprintf("has the same id as line %d", line)
		}
		seen[key] = row.line
		return ""
	}
	if _, has := c["id"]; has {
		return "has no id"
	}
	sum := hashOf("row", row.fields...)
	key := [16]byte(sum[:16])
	seen[key]++
	rec.source = fmt.Sprintf("row:%s:%d", hex.EncodeToString(sum[:12]), seen[key])
	return ""
}

func hashOf(kind string, parts ...string) [32]byte {
	return sha256.Sum256([]byte(kind + "\x00" + strings.Join(parts, "\x00")))
}

// recordOf reads a row.
func (r *run) recordOf(c columns, row row) (rec record, fault string) {
	get := func(field string) string { return c.get(row.fields, field) }
	rec = record{line: row.line, rows: 1, source: get("id"), title: get("title"), description: get("description")}
	if rec.title == "" {
		rec.title = rec.source
	}
	if rec.title == "" {
		return rec, "has neither a title nor an id"
	}
	rec.assignees = splitList(get("assignee"), ";|\n")
	rec.labels = append(splitList(get("labels"), ",;|\n"), splitList(get("type"), "\n")...)
	var faults [7]string
	var created, started, finished moment
	rec.priority, faults[0] = priority(get("priority"))
	rec.estimate, faults[1] = estimate(get("estimate"))
	rec.start, faults[2] = r.date("start", get("start"))
	rec.due, faults[3] = r.date("due", get("due"))
	created, faults[4] = r.moment("created", get("created"))
	started, faults[5] = r.moment("started", get("started"))
	finished, faults[6] = r.moment("finished", get("finished"))
	if created.at.IsZero() && faults[4] == "" {
		faults[4] = "has no created date"
	}
	for _, f := range faults {
		if f != "" {
			return rec, f
		}
	}
	if rec.start != "" && rec.due != "" && rec.start > rec.due {
		return rec, fmt.Sprintf("start %s is after due %s", rec.start, rec.due)
	}
	if fault := r.orderDates(&rec, &created, &started, &finished); fault != "" {
		return rec, fault
	}
	rec.created = created.at
	return rec, r.path(&rec, get("state"), started, finished)
}

// orderDates sees to created ≤ started ≤ finished. A day without a time of day is no earlier than a moment on that day.
func (r *run) orderDates(rec *record, created, started, finished *moment) (fault string) {
	sameDay := func(a, b moment) bool {
		return task.DateOf(a.at.In(r.o.Zone)) == task.DateOf(b.at.In(r.o.Zone))
	}
	for _, later := range []*moment{started, finished} {
		if later.at.IsZero() || !later.at.Before(created.at) {
			continue
		}
		switch {
		case later.day && sameDay(*later, *created):
			later.at = created.at
		case r.o.InvalidDates == Clamp:
			rec.clamped = true
			created.at = later.at
		case later == started:
			return fmt.Sprintf("started %s before it was created %s", show(*started), show(*created))
		default:
			return fmt.Sprintf("finished %s before it was created %s", show(*finished), show(*created))
		}
	}
	if started.at.IsZero() || finished.at.IsZero() || !finished.at.Before(started.at) {
		return ""
	}
	switch {
	case finished.day && sameDay(*finished, *started):
		finished.at = started.at
	case r.o.InvalidDates == Clamp:
		rec.clamped = true
		started.at = finished.at
	default:
		return fmt.Sprintf("finished %s before it was started %s", show(*finished), show(*started))
	}
	return ""
}

func show(m moment) string {
	if m.day {
		return m.at.Format(task.DateLayout)
	}
	return m.at.Format("2006-01-02 15:04:05")
}

// path says which states the task went through, to end in the one named (empty: as the dates say).
// Without a finished date a task in a done state is refused, or with Clamp was done when it began.
func (r *run) path(rec *record, state string, started, finished moment) (fault string) {
	category := project.Category("")
	if state != "" {
		category = guessCategory(state)
		if s, ok := r.project.StateNamed(state); ok {
			category = s.Category
		}
	}
	ended := category == project.Done || category == project.Cancelled
	if !finished.at.IsZero() && state != "" && !ended {
		return fmt.Sprintf("has a finished date, but its state %q is none where work ends", shorten(state))
	}
	if category == project.Done && finished.at.IsZero() {
		if r.o.InvalidDates != Clamp {
			return fmt.Sprintf("is in state %q, but has no finished date", shorten(state))
		}
		rec.clamped = true // it ended when it began, as far as anybody knows
	}
	if !started.at.IsZero() {
		at := stateAt{name: r.stateOf(project.Doing, "In progress"), category: project.Doing, at: started.at}
		if category == project.Doing {
			at.name = state
		}
		rec.entries = append(rec.entries, at)
	}
	switch {
	case !finished.at.IsZero() && state != "":
		rec.entries = append(rec.entries, stateAt{name: state, category: category, at: finished.at})
	case !finished.at.IsZero():
		rec.entries = append(rec.entries, stateAt{name: r.stateOf(project.Done, "Done"), category: project.Done, at: finished.at})
	case state != "" && len(rec.entries) == 0: // nothing says when it got there
		rec.initial = &stateAt{name: state, category: category, at: rec.created}
	case state != "" && category != project.Doing: // moved on, or back, at an unknown time
		rec.entries = append(rec.entries, stateAt{name: state, category: category, at: started.at})
	}
	return ""
}

// stateOf returns the first open state of a category, or the name for one to be created.
func (r *run) stateOf(c project.Category, otherwise string) string {
	for _, s := range r.project.States {
		if !s.Archived && s.Category == c {
			return s.Name
		}
	}
	return otherwise
}
