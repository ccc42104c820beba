// Package account knows the people tasks are assigned to, changed by and mentioned in. Signing in is not its concern.
package account

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Kind says where a person's record came from.
type Kind string

// Kinds of people.
const (
	Member   Kind = "member"   // may sign in once accounts exist
	Imported Kind = "imported" // named by an import only
	System   Kind = "system"   // Tallyboard itself
)

// Limits of a person's fields.
const (
	MaxHandle = 39  // bytes, [a-z0-9][a-z0-9._-]*
	MaxName   = 120 // characters
)

// Person is somebody tasks can name.
type Person struct {
	ID      uuid.UUID
	Handle  string // unique, lower case, used in @mentions and filters
	Name    string
	Kind    Kind
	Created time.Time
}

// Store keeps people.
type Store interface {
	// People returns all people, by handle.
	People(ctx context.Context) ([]Person, error)
	// Person returns one, or apperr.NotFound.
	Person(ctx context.Context, id uuid.UUID) (Person, error)
	// AddPeople stores new people; one whose handle exists already is left as it is. It returns the stored record for
	// each, in the given order.
	AddPeople(ctx context.Context, people []Person) ([]Person, error)
}
