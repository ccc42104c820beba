package drill

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// rowReader adds rows to a snapshot.
type rowReader struct{ to *check.Snapshot }

func (r rowReader) project(scan func(...any) error) error {
	var p check.Project
	err := scan(textID(&p.ID), &p.Key, &p.Name, &p.Version)
	r.to.Projects = append(r.to.Projects, p)
	return err
}

// at returns the project that a row belongs to; projects are read before.
func (r rowReader) at(id string) (*check.Project, error) {
	for i := range r.to.Projects {
		if p := &r.to.Projects[i]; p.ID == id {
			return p, nil
		}
	}
	return nil, fmt.Errorf("a row of project %s, which is not there", id)
}

func (r rowReader) state(scan func(...any) error) error {
	var project string
	var s ledger.State
	if err := scan(textID(&project), textID(&s.ID), &s.Name, &s.Category, &s.WIPLimit, &s.Archived); err != nil {
		return err
	}
	p, err := r.at(project)
	if err == nil {
		p.States = append(p.States, s)
	}
	return err
}

func (r rowReader) label(scan func(...any) error) error {
	var project string
	var l ledger.Label
	if err := scan(textID(&project), textID(&l.ID), &l.Name, &l.Color); err != nil {
		return err
	}
	p, err := r.at(project)
	if err == nil {
		p.Labels = append(p.Labels, l)
	}
	return err
}

func (r rowReader) member(scan func(...any) error) error {
	var project string
	var m ledger.Member
	if err := scan(textID(&project), textID(&m.Person), &m.Role); err != nil {
		return err
	}
	p, err := r.at(project)
	if err == nil {
		p.Members = append(p.Members, m)
	}
	return err
}

func (r rowReader) view(scan func(...any) error) error {
	var v check.View
	err := scan(textID(&v.Project), textID(&v.ID), &v.Name, &v.Filter, &v.Layout, &v.Shared, &v.Version)
	r.to.Views = append(r.to.Views, v)
	return err
}

func (r rowReader) task(scan func(...any) error) error {
	var t check.Task
	var trashed *time.Time
	err := scan(textID(&t.ID), textID(&t.Project), &t.Number, &t.Title, &t.Description, textID(&t.State), &t.Rank, &t.Estimate, textIDs(&t.Labels), &t.Version, &t.Seq, &trashed)
	if trashed != nil {
		at := trashed.UTC().Format(time.RFC3339Nano)
		t.Trashed = &at
	}
	r.to.Tasks = append(r.to.Tasks, t)
	return err
}

func (r rowReader) labelled(scan func(...any) error) error {
	var l check.Labelled
	err := scan(textID(&l.Task), textID(&l.Label))
	r.to.Labelled = append(r.to.Labelled, l)
	return err
}

func (r rowReader) comment(scan func(...any) error) error {
	var c check.Comment
	err := scan(textID(&c.ID), textID(&c.Task), &c.Body)
	r.to.Comments = append(r.to.Comments, c)
	return err
}

func (r rowReader) stepBack(scan func(...any) error) error {
	var s check.StepBack
	err := scan(&s.What, &s.Was, &s.Is)
	r.to.StepsBack = append(r.to.StepsBack, s)
	return err
}

func (r rowReader) relation(scan func(...any) error) error {
	var l check.Relation
	err := scan(textID(&l.From), textID(&l.To), &l.Kind)
	r.to.Relations = append(r.to.Relations, l)
	return err
}

func (r rowReader) event(scan func(...any) error) error {
	var e check.Event
	var aggregate, traceparent string
	var changes []byte
	if err := scan(&e.ID, &e.Pos, textID(&e.Project), textID(&e.Aggregate), &aggregate, &e.Seq, &e.Kind, &changes, &traceparent, &e.Occurred, &e.Recorded); err != nil {
		return err
	}
	e.OfTask = aggregate == "task"
	if parts := strings.Split(traceparent, "-"); len(parts) == 4 {
		e.Trace = parts[1]
	}
	if err := json.Unmarshal(changes, &e.Changes); err != nil {
		return fmt.Errorf("changes of event %d: %w", e.ID, err)
	}
	r.to.Events = append(r.to.Events, e)
	return nil
}

// textID scans an id, with or without hyphens, in its usual form.
type idScanner struct{ to *string }

func textID(to *string) idScanner { return idScanner{to} }

// Scan implements sql.Scanner.
func (s idScanner) Scan(v any) error {
	text, is := v.(string)
	if b, bytes := v.([]byte); bytes {
		text, is = string(b), true
	}
	if !is {
		return fmt.Errorf("an id is a %T", v)
	}
	id, err := uuid.Parse(text)
	*s.to = id.String()
	return err
}

// textIDs scans ids that follow one another, of 32 hexadecimal digits each, with anything else between them.
type idsScanner struct{ to *[]string }

func textIDs(to *[]string) idsScanner { return idsScanner{to} }

// Scan implements sql.Scanner.
func (s idsScanner) Scan(v any) error {
	text, is := v.(string)
	if b, bytes := v.([]byte); bytes {
		text, is = string(b), true
	}
	if !is {
		return fmt.Errorf("a list of ids is a %T", v)
	}
	*s.to = nil
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) {
			return r
		}
		return -1
	}, text)
	const each = 32
	for ; digits != ""; digits = digits[min(each, len(digits)):] {
		id, err := uuid.Parse(digits[:min(each, len(digits))])
		if err != nil {
			return fmt.Errorf("a list of ids is %q: %w", text, err)
		}
		*s.to = append(*s.to, id.String())
	}
	return nil
}
