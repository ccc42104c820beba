package exporter

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Columns of a CSV export. The importer recognises them by name.
var Columns = []string{
	"id", "title", "description", "state", "category", "priority", "assignees", "labels", "start", "due", "estimate", "parent",
	"created", "started", "finished", "updated",
}

var priorityNames = []string{"none", "urgent", "high", "medium", "low"}

// CSV streams a row per task to w, in order of number, trashed ones left out. Times are RFC 3339 in UTC; several names in
// one field are separated by semicolons; a text that spreadsheets would run as a formula gets a quote in front.
func (ex *Exporter) CSV(ctx context.Context, w io.Writer, projectKey string) error {
	p, err := ex.d.Projects.Project(ctx, projectKey)
	if err != nil {
		return err
	}
	people, err := ex.d.People.People(ctx)
	if err != nil {
		return err
	}
	handles := make(map[uuid.UUID]string, len(people))
	for _, person := range people {
		handles[person.ID] = person.Handle
	}
	out := csv.NewWriter(w)
	if err := out.Write(Columns); err != nil {
		return fmt.Errorf("exporter: write: %w", err)
	}
	keys := map[uuid.UUID]string{} // of parents seen; a parent has usually been created before its subtasks
	err = ex.pages(ctx, p.ID, false, func(page []*task.Task) error {
		for _, t := range page {
			if t.ParentID != nil && keys[*t.ParentID] == "" {
				parent, err := ex.d.Reader.Task(ctx, task.Ref{ID: *t.ParentID})
				if err != nil {
					return err
				}
				keys[parent.ID] = parent.Key()
			}
			if err := out.Write(line(t, p, handles, keys)); err != nil {
				return fmt.Errorf("exporter: write: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("exporter: write: %w", err)
	}
	return nil
}

func line(t *task.Task, p *project.Project, handles, keys map[uuid.UUID]string) []string {
	s, _ := p.State(t.StateID) // states are never removed
	var people, labels []string
	for _, id := range t.Assignees {
		people = append(people, handles[id])
	}
	for _, id := range t.Labels {
		if l, ok := p.Label(id); ok { // removed ones are not shown
			labels = append(labels, l.Name)
		}
	}
	estimate, parent := "", ""
	if t.Estimate != nil {
		estimate = strconv.FormatFloat(*t.Estimate, 'f', -1, 64)
	}
	if t.ParentID != nil {
		parent = keys[*t.ParentID]
	}
	return []string{
		t.Key(), safe(t.Title), safe(t.Description), safe(s.Name), string(s.Category), priorityNames[t.Priority],
		safe(strings.Join(people, ";")), safe(strings.Join(labels, ";")), string(t.Start), string(t.Due), estimate, parent,
		instant(&t.Created), instant(t.Started), instant(t.Completed), instant(&t.Updated),
	}
}

// safe keeps spreadsheets from running a text as a formula.
func safe(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func instant(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
