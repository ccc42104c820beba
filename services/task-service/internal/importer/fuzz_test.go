package importer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
)

// check holds for any file: it is refused as a whole and changes nothing, or each row is a task, known, or refused, and
// importing it again adds nothing.
func check(t *testing.T, text string, o importer.Options) {
	t.Helper()
	r := setup(t)
	got, err := r.Import(context.Background(), r.by(), "WEB", strings.NewReader(text), o)
	tasks := int64(len(r.tasks()))
	if err != nil {
		if !apperr.Is(err, apperr.Invalid) && !apperr.Is(err, apperr.Unprocessable) || tasks != 0 {
			t.Fatalf("%q: %v, %d tasks", text, err, tasks)
		}
		return
	}
	if got.Tasks != tasks || o.Format == importer.CSV && got.Tasks+got.Known+got.RefusedRows != got.Rows || int(got.RefusedRows) < len(got.Refused) {
		t.Fatalf("%q: %+v, %d tasks", text, got, tasks)
	}
	for _, x := range r.tasks() {
		if x.Completed != nil && x.Completed.Before(x.Created) || x.Created.After(now) || x.Title == "" {
			t.Fatalf("%q made %+v", text, x)
		}
	}
	if again, err := r.Import(context.Background(), r.by(), "WEB", strings.NewReader(text), o); err != nil || again.Tasks != 0 {
		t.Fatalf("%q again: %+v, %v", text, again, err)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("id,title,created,finished,state\n1,a,2026-01-01,2026-01-02,Done\n", false)
	f.Add("\uFEFFid;created\r\n\"1\n2\";01.02.2026\r\n", true)
	f.Add("title,created,finished\nx,2026-01-01,2025-01-01\nx,2026-01-01,\n", true)
	f.Add("id,created\n\"", false)
	f.Fuzz(func(t *testing.T, text string, clamp bool) {
		o := importer.Options{Format: importer.CSV}
		if clamp {
			o.InvalidDates = importer.Clamp
		}
		check(t, text, o)
	})
}

func FuzzChangelog(f *testing.F) {
	f.Add(changelogHeader + "A-1,Bug,2026-01-01,1,Open,Done,Done,2026-01-02\nA-1,Bug,2026-01-01,1,Done,Open,To Do,2026-01-03\n")
	f.Add(changelogHeader + "A-1,,2026-01-01,,,Open,,2026-01-01\n,,,,,,,\n")
	f.Fuzz(func(t *testing.T, text string) { check(t, text, importer.Options{Format: importer.JiraChangelog}) })
}

func FuzzTallyboard(f *testing.F) {
	f.Add(`{"tallyboard":{"format":1},"tasks":[]}`)
	f.Add(`{"tallyboard":{"format":1},"project":{"states":[{"id":"00000000-0000-7000-8000-000000000001","name":"Todo","category":"todo"}]},"tasks":[{"task":{"id":"00000000-0000-7000-8000-000000000002","created":"2026-01-01T00:00:00Z"},"events":[{"kind":"task.created","occurred":"2026-01-01T00:00:00Z","changes":[{"field":"title","after":"x"},{"field":"state","after":"00000000-0000-7000-8000-000000000001"}]}]}]}`)
	f.Fuzz(func(t *testing.T, text string) { check(t, text, importer.Options{Format: importer.Tallyboard}) })
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"2026-12-01", "01.12.2026", "2026-12-01T10:00:00+01:00", "02/Jan/06 3:04 PM", "0000-00-00"} {
		f.Add(s, "")
	}
	f.Add("31/12/26", "DD/MM/YY")
	f.Fuzz(func(t *testing.T, text, layout string) {
		at, day, err := importer.ParseDate(text, layout, time.UTC)
		if err == nil && (at.Year() < 1899 || at.Year() > 10000 || at.Location() != time.UTC || day && layout == "" && at.Hour() != 0) {
			t.Fatalf("%q is %v, day %v", text, at, day)
		}
	})
}
