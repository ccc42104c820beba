package storetest

import (
	"net"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/caller"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// callerGone carries changes out late: whoever asked for them has closed the connection, and may have had a refusal from
// another instance. They must not be made, not even by half, and the key must stay free.
func callerGone(f *fixture) {
	t := f.t
	listener, err := (&net.ListenConfig{}).Listen(f.ctx, "tcp", "127.0.0.1:0")
	ok(t, "listen", err)
	defer listener.Close() //nolint:errcheck // has done its work
	conn, err := (&net.Dialer{}).DialContext(f.ctx, "tcp", listener.Addr().String())
	ok(t, "connect", err)
	present := caller.Watch(f.ctx, conn)

	made := f.add(t, task.New{Title: "before"})
	w := f.keyed(newKey(), "late")
	change := func() (*task.Task, error) { return f.change(present, made.ID, task.Patch{Title: new("late")}) }
	create := func() error {
		draft := f.draft(w, task.New{Title: "late"})
		draft.Ctx = present
		return f.CreateTasks(f.ctx, f.p.Key, []task.Draft{f.draft(f.write(), task.New{Title: "a neighbour"}), draft})[1].Err //nolint:contextcheck // each draft has the context of its own request
	}
	ok(t, "close", conn.Close())
	_, err = change()
	wantCode(t, "a late change", err, apperr.Canceled)
	wantCode(t, "a late creation", create(), apperr.Canceled)
	_, _, err = f.UpdateTasks(present, w, []task.Ref{{ID: made.ID}}, f.patch(task.Patch{Title: new("late")}))
	wantCode(t, "a late bulk change", err, apperr.Canceled)
	got, err := f.Task(f.ctx, task.Ref{ID: made.ID})
	ok(t, "read task", err)
	sameTask(t, "task behind late changes", got, made)
	same(t, "events of the task", len(f.events(t, made.ID)), 1)

	present = f.ctx // and now somebody asks again, and waits
	ok(t, "the creation, asked for again", create())
	_, err = change()
	ok(t, "the change, asked for again", err)
}
