package httpapi

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// table adapts the table of one kind of result.
func table[T any](fn func(T, map[string]string) [][]string) func(any, map[string]string) [][]string {
	return func(result any, states map[string]string) [][]string {
		r, ok := result.(T)
		if !ok { // compute and table of an answer are made for each other
			return nil
		}
		return fn(r, states)
	}
}

// writeCSV encodes rows by RFC 4180, the first being the header.
func writeCSV(rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("encode CSV: %w", err)
	}
	return out.Bytes(), nil
}

// text keeps spreadsheets from taking what people wrote for a formula.
func text(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func summaryTable(s stats.Summary, _ map[string]string) [][]string {
	rows := [][]string{{"dimension", "id", "name", "count", "open"}}
	for _, c := range s.ByCategory {
		rows = append(rows, []string{"category", string(c.Category), string(c.Category), strconv.Itoa(c.Count), ""})
	}
	for _, c := range s.ByState {
		rows = append(rows, []string{"state", c.ID.String(), text(c.Name), strconv.Itoa(c.Count), ""})
	}
	names := []string{"none", "urgent", "high", "medium", "low"}
	for _, c := range s.ByPriority {
		rows = append(rows, []string{"priority", strconv.Itoa(c.Priority), names[c.Priority], strconv.Itoa(c.Count), strconv.Itoa(c.Open)})
	}
	for dimension, counts := range map[string][]stats.IDCount{"assignee": s.ByAssignee, "label": s.ByLabel} {
		for _, c := range counts {
			id := ""
			if c.ID != nil {
				id = c.ID.String()
			}
			rows = append(rows, []string{dimension, id, "", strconv.Itoa(c.Count), strconv.Itoa(c.Open)})
		}
	}
	return rows
}

func throughputTable(t stats.Throughput, _ map[string]string) [][]string {
	rows := [][]string{{"date", "created", "completed"}}
	for _, d := range t.Days {
		rows = append(rows, []string{string(d.Date), strconv.Itoa(d.Created), strconv.Itoa(d.Completed)})
	}
	return rows
}

func timesTable(t stats.Times, _ map[string]string) [][]string {
	rows := [][]string{{"task", "key", "completed", "leadSeconds", "cycleSeconds"}}
	for _, p := range t.Points {
		rows = append(rows, []string{p.Task.String(), p.Key, instant(p.Completed), number(p.LeadSeconds), number(p.CycleSeconds)})
	}
	return rows
}

func flowTable(f stats.Flow, _ map[string]string) [][]string {
	head := []string{"date"}
	for _, s := range f.States {
		head = append(head, text(s.Name))
	}
	rows := [][]string{head}
	for _, d := range f.Days {
		row := []string{string(d.Date)}
		for _, n := range d.Counts {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, row)
	}
	return rows
}

func ageingTable(a stats.Ageing, states map[string]string) [][]string {
	rows := [][]string{{"task", "key", "title", "state", "started", "ageSeconds", "inStateSeconds", "overP85"}}
	for _, i := range a.Items {
		rows = append(rows, []string{
			i.Task.String(), i.Key, text(i.Title), text(states[i.State.String()]), instant(i.Started), number(i.AgeSeconds),
			number(i.InStateSeconds), strconv.FormatBool(i.OverP85),
		})
	}
	return rows
}

func burnupTable(b stats.Burnup, _ map[string]string) [][]string {
	rows := [][]string{{"date", "scope", "completed", "scopePoints", "completedPoints"}}
	for _, d := range b.Days {
		rows = append(rows, []string{
			string(d.Date), strconv.Itoa(d.Scope), strconv.Itoa(d.Completed), number(d.ScopePoints), number(d.CompletedPoints),
		})
	}
	return rows
}

func forecastTable(f stats.Forecast, _ map[string]string) [][]string {
	rows := [][]string{{"question", "confidence", "answer"}}
	shares := []string{"0.5", "0.7", "0.85", "0.95"}
	for i, d := range []*stats.Date{f.When.P50, f.When.P70, f.When.P85, f.When.P95} {
		value := ""
		if d != nil {
			value = string(*d)
		}
		rows = append(rows, []string{fmt.Sprintf("when %d items", f.When.Items), shares[i], value})
	}
	for i, n := range []*int{f.HowMany.P50, f.HowMany.P70, f.HowMany.P85, f.HowMany.P95} {
		value := ""
		if n != nil {
			value = strconv.Itoa(*n)
		}
		rows = append(rows, []string{"how many by " + string(f.HowMany.By), shares[i], value})
	}
	return rows
}

func overdueTable(o stats.Overdue, states map[string]string) [][]string {
	rows := [][]string{{"task", "key", "title", "state", "priority", "due", "daysOverdue"}}
	for _, i := range o.Items {
		rows = append(rows, []string{
			i.Task.String(), i.Key, text(i.Title), text(states[i.State.String()]), strconv.Itoa(i.Priority), string(i.Due),
			strconv.Itoa(i.DaysOverdue),
		})
	}
	return rows
}
