package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
)

// directory finds people by handle or name, ignoring case.
type directory struct {
	byHandle map[string]account.Person
	byName   map[string]account.Person
}

func newDirectory(people []account.Person) directory {
	d := directory{byHandle: map[string]account.Person{}, byName: map[string]account.Person{}}
	for _, p := range people {
		d.add(p)
	}
	return d
}

func (d directory) add(p account.Person) {
	d.byHandle[p.Handle] = p
	if _, taken := d.byName[project.Fold(p.Name)]; !taken { // of two with one name, the first by handle
		d.byName[project.Fold(p.Name)] = p
	}
}

func (d directory) find(name string) (account.Person, bool) {
	if p, ok := d.byHandle[strings.ToLower(strings.TrimPrefix(name, "@"))]; ok {
		return p, true
	}
	p, ok := d.byName[project.Fold(name)]
	return p, ok
}

// person returns who has the name or handle; a person nobody knows is created.
func (r *run) person(ctx context.Context, name string) (uuid.UUID, error) {
	if p, ok := r.people.find(name); ok {
		return p.ID, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return id, fmt.Errorf("importer: make an id: %w", err)
	}
	p := account.Person{ID: id, Handle: r.freeHandle(name), Name: cut(name, account.MaxName), Kind: account.Imported, Created: r.now}
	return r.addPerson(ctx, p, name)
}

func (r *run) addPerson(ctx context.Context, p account.Person, name string) (uuid.UUID, error) {
	if !r.o.DryRun {
		stored, err := r.d.People.AddPeople(ctx, []account.Person{p})
		if err != nil {
			return uuid.Nil, err
		}
		p = stored[0]
	}
	r.people.add(p)
	r.people.byName[project.Fold(name)] = p // also under what was too long for a name
	r.report.People = append(r.report.People, p.Handle)
	return p.ID, nil
}

// freeHandle makes a handle of a name: "Ada Lovelace" becomes ada.lovelace, "ada@example.com" ada; names without Latin
// letters get one by hash.
func (r *run) freeHandle(name string) string {
	if local, _, ok := strings.Cut(name, "@"); ok && local != "" {
		name = local
	}
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		case strings.ContainsRune(" .-_", c) && b.Len() > 0 && !strings.HasSuffix(b.String(), "."):
			b.WriteByte('.')
		}
	}
	handle := strings.Trim(cut(b.String(), account.MaxHandle-4), ".")
	if utf8.RuneCountInString(handle)*2 < utf8.RuneCountInString(name) { // little of the name is left
		sum := sha256.Sum256([]byte(project.Fold(name)))
		handle = "person-" + hex.EncodeToString(sum[:4])
	}
	free := handle
	for n := 2; ; n++ {
		if _, taken := r.people.byHandle[free]; !taken {
			return free
		}
		free = fmt.Sprintf("%s-%d", handle, n)
	}
}

func cut(s string, most int) string {
	r := []rune(s)
	return string(r[:min(len(r), most)])
}

// ensureStates creates the states a record enters that do not exist.
func (r *run) ensureStates(ctx context.Context, rec record) error {
	entered := rec.entries
	if rec.initial != nil {
		entered = append([]stateAt{*rec.initial}, entered...)
	}
	var missing []project.NewState
	for _, e := range entered {
		if _, ok := r.project.StateNamed(e.name); ok || slices.ContainsFunc(missing, func(n project.NewState) bool { return project.Fold(n.Name) == project.Fold(e.name) }) {
			continue
		}
		n := project.NewState{Name: e.name, Category: e.category}
		if n.Category == "" {
			n.Category = guessCategory(e.name)
		}
		missing = append(missing, n)
	}
	return r.addStates(ctx, missing)
}

func (r *run) addStates(ctx context.Context, missing []project.NewState) error {
	if len(missing) == 0 {
		return nil
	}
	err := r.settings(func(p *project.Project) error { return p.AddStates(r.by(), missing) }, func() (*project.Project, error) {
		return r.d.Projects.AddStates(ctx, r.w, r.project.Key, missing)
	})
	if err != nil {
		return err
	}
	for _, n := range missing {
		r.report.States = append(r.report.States, n.Name)
	}
	return nil
}

func (r *run) ensureLabels(ctx context.Context, names []string) error {
	var missing []project.NewLabel
	for _, name := range names {
		if _, ok := r.project.LabelNamed(name); !ok && !slices.ContainsFunc(missing, func(n project.NewLabel) bool { return project.Fold(n.Name) == project.Fold(name) }) {
			missing = append(missing, project.NewLabel{Name: name})
		}
	}
	return r.addLabels(ctx, missing)
}

func (r *run) addLabels(ctx context.Context, missing []project.NewLabel) error {
	if len(missing) == 0 {
		return nil
	}
	err := r.settings(func(p *project.Project) error { return p.AddLabels(r.by(), missing) }, func() (*project.Project, error) {
		return r.d.Projects.AddLabels(ctx, r.w, r.project.Key, missing)
	})
	if err != nil {
		return err
	}
	for _, n := range missing {
		r.report.Labels = append(r.report.Labels, n.Name)
	}
	return nil
}

// settings changes the project: in a dry run only the copy at hand.
func (r *run) settings(dry func(*project.Project) error, stored func() (*project.Project, error)) error {
	next := *r.project // its lists are not shared: changes copy them
	p := &next
	if r.o.DryRun {
		if err := dry(p); err != nil {
			return err
		}
	} else {
		var err error
		if p, err = stored(); err != nil {
			return err
		}
	}
	r.project = p
	return nil
}

func (r *run) by() project.By { return project.By{Actor: r.w.Actor, Now: r.now} }
