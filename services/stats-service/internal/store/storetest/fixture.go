package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	kitdb "github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
)

// Key of the project of every world.
const Key = "WEB"

// Write writes the whole of a world: the project with its states, its tasks as they stand in the end, and its events, of
// which the first `positioned` have a position.
func (d *Database) Write(t testing.TB, w *statstest.World, positioned int) {
	t.Helper()
	d.WriteEvents(t, w.Events, positioned)
	d.WriteRows(t, w)
}

// WriteRows writes a world's project, states and tasks without its events.
func (d *Database) WriteRows(t testing.TB, w *statstest.World) {
	t.Helper()
	src := w.Fold()
	seq := src.Work.Projects[w.Project].Seq
	d.insert(t, "projects", []map[string]any{{
		"id": w.Project, "pkey": Key, "name": "Web", "description": "", "version": 1, "seq": seq,
		"created": w.Events[0].Occurred, "created_by": uuid.Nil, "updated": w.Events[0].Occurred,
	}})
	var states, tasks []map[string]any
	for _, s := range w.States {
		row := map[string]any{"id": s.ID, "project_id": w.Project, "name": s.Name, "category": string(s.Category), "position": s.Position, "archived": s.Archived}
		if s.WIPLimit != nil {
			row["wip_limit"] = *s.WIPLimit
		}
		states = append(states, row)
	}
	d.insert(t, "states", states)
	for _, k := range src.Work.Tasks {
		row := map[string]any{
			"id": k.ID, "project_id": k.Project, "number": k.Number, "title": "Task " + strconv.FormatInt(k.Number, 10), "description": "",
			"state_id": k.State, "task_rank": fmt.Sprintf("a%06d", k.Number), "priority": k.Priority, "assignees": k.Assignees,
			"labels": k.Labels, "recurrence": "", "version": 1, "seq": k.Seq, "created": k.Created, "created_by": uuid.Nil,
			"updated": k.Created, "updated_by": uuid.Nil, "last_at": k.Created,
		}
		for name, v := range map[string]*time.Time{"started": k.Started, "completed": k.Completed, "trashed": k.Trashed} {
			if v != nil {
				row[name] = *v
			}
		}
		if k.Due != "" {
			row["due_date"] = string(k.Due)
		}
		if k.Estimate != nil {
			row["estimate"] = *k.Estimate
		}
		tasks = append(tasks, row)
	}
	d.insert(t, "tasks", tasks)
}

// WriteEvents writes events, of which the first `positioned` have their position.
func (d *Database) WriteEvents(t testing.TB, events []stats.Event, positioned int) {
	t.Helper()
	var rows []map[string]any
	for i, e := range events {
		changes := e.Changes
		if changes == nil {
			changes = []stats.Change{}
		}
		text, err := json.Marshal(changes)
		if err != nil {
			t.Fatal(err)
		}
		if e.Undecodable != "" {
			text = []byte(`"garbage"`)
		}
		row := map[string]any{
			"project_id": e.Project, "aggregate": string(e.Aggregate), "aggregate_id": e.ID, "seq": e.Seq, "kind": e.Kind,
			"actor": uuid.Nil, "changes": string(text), "occurred": e.Occurred, "recorded": e.Recorded, "traceparent": e.Traceparent,
		}
		if i < positioned {
			row["pos"] = e.Pos
		}
		rows = append(rows, row)
	}
	d.insert(t, "events", rows)
}

// insert writes rows; columns they leave out but the schema demands are filled with something empty.
func (d *Database) insert(t testing.TB, table string, rows []map[string]any) {
	t.Helper()
	const portion = 500
	demanded := d.demanded(t, table)
	for len(rows) > 0 {
		n := min(portion, len(rows))
		columns := map[string]bool{}
		for _, row := range rows[:n] {
			for c := range row {
				columns[c] = true
			}
		}
		for c := range demanded {
			columns[c] = true
		}
		var names, tuples []string
		for c := range columns {
			names = append(names, c)
		}
		for _, row := range rows[:n] {
			values := make([]string, len(names))
			for i, c := range names {
				v, given := row[c]
				switch {
				case given:
					values[i] = d.literal(t, v)
				case demanded[c] != "":
					values[i] = demanded[c]
				default:
					values[i] = "NULL"
				}
			}
			tuples = append(tuples, "("+strings.Join(values, ",")+")")
		}
		d.Exec(t, "INSERT INTO "+table+" ("+strings.Join(names, ",")+") VALUES "+strings.Join(tuples, ","))
		rows = rows[n:]
	}
}

// demanded returns the columns of a table that must have a value, with one that will do.
func (d *Database) demanded(t testing.TB, table string) map[string]string {
	t.Helper()
	schema, generated := "current_schema()", "is_generated = 'NEVER' AND is_identity = 'NO'"
	if d.Engine == kitdb.MySQL {
		schema, generated = "DATABASE()", "extra NOT LIKE '%GENERATED%' AND extra NOT LIKE '%auto_increment%'"
	}
	//nolint:gosec // names from this file
	rows, err := d.SQL.QueryContext(context.Background(), "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = "+
		schema+" AND table_name = '"+table+"' AND is_nullable = 'NO' AND column_default IS NULL AND "+generated)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	out := map[string]string{}
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			t.Fatal(err)
		}
		switch kind {
		case "tinyint", "smallint", "int", "integer", "bigint", "boolean", "double":
			out[name] = "0"
		case "tsvector":
			out[name] = "''::tsvector"
		default:
			out[name] = "''"
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (d *Database) literal(t testing.TB, v any) string {
	t.Helper()
	switch v := v.(type) {
	case uuid.UUID:
		return d.ID(v)
	case []uuid.UUID:
		if d.Engine == kitdb.MySQL {
			var b strings.Builder
			for _, id := range v {
				fmt.Fprintf(&b, "%x", id[:])
			}
			return "x'" + b.String() + "'"
		}
		var texts []string
		for _, id := range v {
			texts = append(texts, d.ID(id))
		}
		return "ARRAY[" + strings.Join(texts, ",") + "]::uuid[]"
	case string:
		if d.Engine == kitdb.MySQL {
			v = strings.ReplaceAll(v, `\`, `\\`)
		}
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case time.Time:
		if d.Engine == kitdb.MySQL {
			return "'" + v.UTC().Format("2006-01-02 15:04:05.000000") + "'"
		}
		return "'" + v.UTC().Format(time.RFC3339Nano) + "'"
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	t.Fatalf("no literal for %T", v)
	return ""
}
