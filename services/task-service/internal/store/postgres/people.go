package postgres

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	pgdb "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/db"
)

// People implements account.Store.
func (s *Store) People(ctx context.Context) ([]account.Person, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	rows, err := s.q.People(ctx)
	if err != nil {
		return nil, flow.Classify("read people", err)
	}
	people := make([]account.Person, len(rows))
	for i, r := range rows {
		people[i] = toPerson(r)
	}
	return people, nil
}

// Person implements account.Store.
func (s *Store) Person(ctx context.Context, id uuid.UUID) (account.Person, error) {
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	row, err := s.q.Person(ctx, id)
	if err != nil {
		return account.Person{}, flow.Classify("read person", orNotFound(err, "There is no such person."))
	}
	return toPerson(row), nil
}

// AddPeople implements account.Store.
func (s *Store) AddPeople(ctx context.Context, people []account.Person) ([]account.Person, error) {
	if len(people) == 0 {
		return nil, nil
	}
	ctx, cancel := flow.Bounded(ctx)
	defer cancel()
	var a pgdb.AddPeopleParams
	for _, p := range people {
		a.Ids, a.Handles, a.Names = append(a.Ids, p.ID), append(a.Handles, p.Handle), append(a.Names, p.Name)
		a.Kinds, a.Created = append(a.Kinds, string(p.Kind)), append(a.Created, p.Created)
	}
	var stored []pgdb.Person
	err := flow.Retry(ctx, func(ctx context.Context) error {
		if err := s.q.AddPeople(ctx, a); err != nil {
			return err
		}
		var err error
		stored, err = s.q.PeopleByHandle(ctx, a.Handles)
		return err
	})
	if err != nil {
		return nil, flow.Classify("add people", err)
	}
	byHandle := make(map[string]account.Person, len(stored))
	for _, r := range stored {
		byHandle[r.Handle] = toPerson(r)
	}
	out := make([]account.Person, len(people))
	for i, p := range people {
		out[i] = byHandle[p.Handle]
	}
	return out, nil
}
