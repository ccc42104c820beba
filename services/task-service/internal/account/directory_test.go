package account_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
)

func TestDirectory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		ada, bob := account.Person{ID: uuid.New(), Handle: "ada"}, account.Person{ID: uuid.New(), Handle: "bob"}
		people, reads := []account.Person{ada}, 0
		var down error
		d := account.NewDirectory(func(context.Context) ([]account.Person, error) {
			reads++
			return people, down
		})
		expect := func(what string, want int) {
			t.Helper()
			if reads != want {
				t.Errorf("%s: read %d times, want %d", what, reads, want)
			}
		}
		time.Sleep(time.Millisecond) // a clock that stands still would make reads equally old
		if _, err := d.Known(ctx, nil); err != nil {
			t.Fatal(err)
		}
		expect("nobody asked for", 0)
		known, err := d.Known(ctx, []uuid.UUID{ada.ID, bob.ID})
		if err != nil || !known(ada.ID) || known(bob.ID) {
			t.Error("only ada exists", err)
		}
		people = append(people, bob)
		time.Sleep(time.Millisecond)
		if known, err = d.Known(ctx, []uuid.UUID{bob.ID}); err != nil || !known(bob.ID) {
			t.Error("bob exists now", err)
		}
		expect("somebody new", 2)
		down = errors.New("no database")
		if known, err = d.Known(ctx, []uuid.UUID{ada.ID, bob.ID}); err != nil || !known(ada.ID) {
			t.Error("who was found once exists for ever", err)
		}
		if found, err := d.ByHandle(ctx, []string{"BOB"}); err != nil || len(found) != 1 || found[0].ID != bob.ID {
			t.Error(found, err)
		}
		expect("all from memory", 2)
		if _, err = d.ByHandle(ctx, []string{"eve"}); !errors.Is(err, down) {
			t.Errorf("a handle not found is looked for again: %v", err)
		}
		time.Sleep(account.DirectoryTTL)
		if _, err = d.People(ctx); !errors.Is(err, down) {
			t.Errorf("handles grow old: %v", err)
		}
	})
}
