package access_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixedRole gives everyone the same role in every project.
type fixedRole access.Role

func (r fixedRole) RoleOf(context.Context, uuid.UUID, uuid.UUID) (access.Role, bool, error) {
	return access.Role(r), r != "", nil
}

func TestGuardAllowsWhatTheRoleAllows(t *testing.T) {
	t.Parallel()
	person := access.Caller{Person: uuid.New()}
	cases := []struct {
		role    access.Role
		allowed []access.Action
		refused []access.Action
		code    apperr.Code
	}{
		{
			access.Owner,
			[]access.Action{access.ReadProject, access.CommentTask, access.EditTasks, access.ManageProject},
			[]access.Action{access.ManagePeople, access.OperateSite, "no.such.action"}, apperr.Forbidden,
		},
		{
			access.Editor, []access.Action{access.ReadProject, access.CommentTask, access.EditTasks},
			[]access.Action{access.ManageProject}, apperr.Forbidden,
		},
		{
			access.Commenter, []access.Action{access.ReadProject, access.CommentTask},
			[]access.Action{access.EditTasks, access.ManageProject}, apperr.Forbidden,
		},
		{
			access.Viewer, []access.Action{access.ReadProject, access.CreateProject, access.ListPeople},
			[]access.Action{access.CommentTask, access.EditTasks, access.ManageProject}, apperr.Forbidden,
		},
		{ // no member: the project's existence is not told
			"", []access.Action{access.CreateProject, access.ListPeople},
			[]access.Action{access.ReadProject, access.CommentTask, access.EditTasks, access.ManageProject}, apperr.NotFound,
		},
	}
	for _, c := range cases {
		guard := access.NewGuard(access.LocalOwner{}, fixedRole(c.role))
		for _, action := range c.allowed {
			if err := guard.Check(t.Context(), person, action, uuid.New()); err != nil {
				t.Errorf("%q may not %s: %v", c.role, action, err)
			}
		}
		for _, action := range c.refused {
			if err := guard.Check(t.Context(), person, action, uuid.New()); !apperr.Is(err, c.code) {
				t.Errorf("%q asking to %s gets %v, want %s", c.role, action, err, c.code)
			}
		}
	}
}

func TestGuardKnowsAdminsAndStrangers(t *testing.T) {
	t.Parallel()
	guard := access.NewGuard(access.LocalOwner{}, nil)
	owner, err := guard.Identify(t.Context(), access.Credentials{})
	if err != nil || owner.Person != access.OwnerID || !owner.SiteAdmin {
		t.Fatalf("the local caller is %+v, %v; want the owner", owner, err)
	}
	for _, action := range []access.Action{access.ReadProject, access.ManageProject, access.ManagePeople, access.OperateSite} {
		if err := guard.Check(t.Context(), owner, action, uuid.New()); err != nil {
			t.Errorf("the local owner may not %s: %v", action, err)
		}
	}
	if err := guard.Check(t.Context(), access.Caller{}, access.ReadProject, uuid.New()); !apperr.Is(err, apperr.Unauthenticated) {
		t.Errorf("nobody gets %v, want unauthenticated", err)
	}
	if err := guard.Check(t.Context(), access.Caller{Person: uuid.New()}, access.ReadProject, uuid.New()); !apperr.Is(err, apperr.Forbidden) {
		t.Errorf("without a source of roles a person gets %v, want forbidden", err)
	}
}

func TestCallerTravelsInTheContext(t *testing.T) {
	t.Parallel()
	if _, ok := access.CallerFrom(t.Context()); ok {
		t.Error("there is a caller where none was put")
	}
	want := access.Caller{Person: uuid.New(), Handle: "ada"}
	if got, ok := access.CallerFrom(access.WithCaller(t.Context(), want)); !ok || got != want {
		t.Errorf("caller = %+v, %v; want %+v", got, ok, want)
	}
}
