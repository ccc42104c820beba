// Package access says who is calling and what they may do. Both services ask it on every request, through their own
// database pools, so that accounts, sessions and roles have one home.
//
// Until accounts exist, [LocalOwner] answers: every caller is the one local owner. Handlers do not know the difference:
// they call [Guard.Identify] once per request and [Guard.Check] before each use of a project.
package access

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// OwnerID is the person every local installation starts with (see the migrations of this package).
var OwnerID = uuid.MustParse("00000000-0000-7000-8000-000000000001")

// SystemID is the actor of changes no person asked for, such as the next occurrence of a recurring task.
var SystemID = uuid.MustParse("00000000-0000-7000-8000-000000000002")

// Role of a person in one project. Each includes the rights of those after it.
type Role string

// The roles, strongest first.
const (
	Owner     Role = "owner"
	Editor    Role = "editor"
	Commenter Role = "commenter"
	Viewer    Role = "viewer"
)

// Valid reports whether r is one of the four roles.
func (r Role) Valid() bool { return r.power() > 0 }

func (r Role) power() int {
	switch r {
	case Owner:
		return 4
	case Editor:
		return 3
	case Commenter:
		return 2
	case Viewer:
		return 1
	}
	return 0
}

// Action is something a caller wants to do.
type Action string

// The actions, with the weakest role that allows each; site actions need a site admin.
const (
	ReadProject   Action = "project.read"   // viewer
	CommentTask   Action = "task.comment"   // commenter
	EditTasks     Action = "task.edit"      // editor
	ManageProject Action = "project.manage" // owner
	CreateProject Action = "project.create" // any person
	ListPeople    Action = "people.read"    // any person
	ManagePeople  Action = "people.manage"  // site admin
	OperateSite   Action = "site.operate"   // site admin: rebuild, parked events, verify
)

var needs = map[Action]Role{ReadProject: Viewer, CommentTask: Commenter, EditTasks: Editor, ManageProject: Owner}

// Caller is who sent a request.
type Caller struct {
	Person    uuid.UUID
	Handle    string // for @me in filters and mentions
	SiteAdmin bool
}

// Credentials are what a request carries to say who sent it. Values are never logged.
type Credentials struct {
	SessionCookie string
	Bearer        string
}

// Identifier turns credentials into a caller, or fails with [apperr.Unauthenticated].
type Identifier interface {
	Identify(ctx context.Context, c Credentials) (Caller, error)
}

// RoleSource knows the role of a person in a project; ok is false for people who are no members.
type RoleSource interface {
	RoleOf(ctx context.Context, person, project uuid.UUID) (role Role, ok bool, err error)
}

// LocalOwner identifies every caller as the local owner.
type LocalOwner struct{}

// Identify returns the owner and never fails.
func (LocalOwner) Identify(context.Context, Credentials) (Caller, error) {
	return Caller{Person: OwnerID, Handle: "owner", SiteAdmin: true}, nil
}

// Guard is the one place where rights are checked.
type Guard struct {
	identifier Identifier
	roles      RoleSource // may be nil while every caller is a site admin
}

// NewGuard returns a guard that identifies by id and looks roles up in roles.
func NewGuard(id Identifier, roles RoleSource) *Guard { return &Guard{identifier: id, roles: roles} }

// Identify returns who sent the credentials.
func (g *Guard) Identify(ctx context.Context, c Credentials) (Caller, error) {
	return g.identifier.Identify(ctx, c)
}

// Check returns nil if the caller may do the action in the project (uuid.Nil for actions that concern no project).
// It answers [apperr.NotFound] where the caller may not even know that the project exists, and [apperr.Forbidden] where
// they may see it but not do this.
func (g *Guard) Check(ctx context.Context, c Caller, a Action, project uuid.UUID) error {
	if c.SiteAdmin {
		return nil
	}
	if c.Person == uuid.Nil {
		return apperr.New(apperr.Unauthenticated, "Sign in to do this.")
	}
	switch a {
	case CreateProject, ListPeople:
		return nil
	case ManagePeople, OperateSite:
		return apperr.New(apperr.Forbidden, "Only a site administrator may do this.")
	}
	want, known := needs[a]
	if !known || g.roles == nil {
		return apperr.New(apperr.Forbidden, "You may not do this.")
	}
	role, member, err := g.roles.RoleOf(ctx, c.Person, project)
	switch {
	case err != nil:
		return err
	case !member:
		return apperr.New(apperr.NotFound, "There is no such project.")
	case role.power() < want.power():
		return apperr.New(apperr.Forbidden, "Your role in this project (%s) does not allow this; it takes %s.", role, want)
	}
	return nil
}

type callerKey struct{}

// WithCaller returns a context that carries the caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller a middleware has put into the context; ok is false where none did.
func CallerFrom(ctx context.Context) (c Caller, ok bool) {
	c, ok = ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// RoleCacheTTL bounds how long a revoked role may go on working.
const RoleCacheTTL = time.Second
