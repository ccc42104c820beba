package httpapi

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// ListTasks answers with a page of a project's tasks.
func (s *server) ListTasks(c *fiber.Ctx, key wire.Key, params wire.ListTasksParams) error {
	p, err := s.project(c.UserContext(), key, access.ReadProject)
	if err != nil {
		return err
	}
	return s.list(c, task.ListInput{
		Project: p.Key, Filter: or(params.Filter, ""), Sort: string(or(params.Sort, "rank")),
		Limit: or(params.Limit, task.DefaultPage), Trashed: or(params.Trashed, false),
	}, listOptions{cursor: params.Cursor, zone: params.Tz, progress: params.Include != nil})
}

// ListAllTasks answers with a page of the tasks of every project the caller may read.
func (s *server) ListAllTasks(c *fiber.Ctx, params wire.ListAllTasksParams) error {
	ctx := c.UserContext()
	keys, err := s.readable(ctx)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return sendJSON(c, []byte(`{"tasks":[],"next":null,"pos":0}`))
	}
	return s.list(c, task.ListInput{
		Projects: keys, Filter: or(params.Filter, ""), Sort: string(or(params.Sort, "rank")),
		Limit: or(params.Limit, task.DefaultPage), Trashed: or(params.Trashed, false),
	}, listOptions{cursor: params.Cursor, zone: params.Tz, progress: params.Include != nil})
}

// readable returns the keys of the projects the caller may read, archived ones left out.
func (s *server) readable(ctx context.Context) ([]string, error) {
	all, err := s.Projects.List(ctx, false)
	if err != nil {
		return nil, err
	}
	keys := make([]string, 0, len(all))
	for _, p := range all {
		switch err := s.Guard.Check(ctx, caller(ctx), access.ReadProject, p.ID); {
		case err == nil:
			keys = append(keys, p.Key)
		case !apperr.Is(err, apperr.NotFound) && !apperr.Is(err, apperr.Forbidden):
			return nil, err
		}
	}
	return keys, nil
}

type listOptions struct {
	cursor, zone *string
	progress     bool
}

func (s *server) list(c *fiber.Ctx, in task.ListInput, o listOptions) error {
	ctx := c.UserContext()
	var err error
	if in.Viewer, err = viewer(ctx, o.zone); err != nil {
		return err
	}
	key := listKey(in)
	if o.cursor != nil {
		if in.After, err = decodeCursor(*o.cursor, sortOf(in.Sort), key); err != nil {
			return err
		}
	}
	pos, err := s.heads.pos(ctx) // before the tasks: an event behind it may be in them already, never the reverse
	if err != nil {
		return err
	}
	page, err := s.Tasks.List(ctx, in)
	if err != nil {
		return err
	}
	var progress map[uuid.UUID]task.Progress
	if o.progress {
		if progress, err = s.progress(ctx, page.Tasks); err != nil {
			return err
		}
	}
	size := 64
	for _, t := range page.Tasks {
		size += taskSize + len(t.Title) + len(t.Description)
	}
	b := append(make([]byte, 0, size), `{"tasks":`...)
	b = appendTasks(b, page.Tasks, progress)
	b = append(b, `,"next":`...)
	b = appendOptional(b, encodeCursor(page.Next, key))
	b = append(b, `,"pos":`...)
	return sendJSON(c, append(appendInt(b, pos), '}'))
}

// sortOf reads a sort as the parameter carries it; the description's enumeration has checked it.
func sortOf(text string) task.Sort {
	field, descending := strings.CutPrefix(text, "-")
	return task.Sort{Field: field, Descending: descending}
}

// progress returns the subtasks' progress of each task; the map is never nil.
func (s *server) progress(ctx context.Context, ts []*task.Task) (map[uuid.UUID]task.Progress, error) {
	ids := make([]uuid.UUID, len(ts))
	for i, t := range ts {
		ids[i] = t.ID
	}
	if len(ids) == 0 {
		return map[uuid.UUID]task.Progress{}, nil
	}
	of, err := s.Tasks.Progress(ctx, ids)
	if of == nil {
		of = map[uuid.UUID]task.Progress{}
	}
	return of, err
}

// GetTask answers with one task.
func (s *server) GetTask(c *fiber.Ctx, ref wire.Ref, _ wire.GetTaskParams) error {
	t, err := s.task(c.UserContext(), ref, access.ReadProject)
	if err != nil || matchesNone(c, t.Version) {
		return err
	}
	return answerTask(c, t, false)
}

// GetTaskDetails answers with a task and what hangs on it.
func (s *server) GetTaskDetails(c *fiber.Ctx, text wire.Ref) error {
	ctx := c.UserContext()
	ref, err := s.taskRef(ctx, text, access.ReadProject)
	if err != nil {
		return err
	}
	t, d, err := s.Tasks.Details(ctx, ref)
	if err != nil {
		return err
	}
	fiberx.SetETag(c, t.Version)
	return sendJSON(c, appendDetails(nil, t, d))
}

// GetBoard answers with all cards of a project, now or as they stood at a moment.
func (s *server) GetBoard(c *fiber.Ctx, key wire.Key, params wire.GetBoardParams) error {
	ctx := c.UserContext()
	p, err := s.project(ctx, key, access.ReadProject)
	if err != nil {
		return err
	}
	in := task.BoardInput{Project: p.Key, Filter: or(params.Filter, "")}
	if in.Viewer, err = viewer(ctx, params.Tz); err != nil {
		return err
	}
	if params.At != nil {
		if in.At, err = time.Parse(time.RFC3339, *params.At); err != nil {
			return apperr.InvalidField("at", "must be a moment such as 2026-03-01T09:00:00Z")
		}
		if in.Filter != "" {
			return apperr.InvalidField("filter", "cannot be combined with at")
		}
	}
	board, err := s.Tasks.Board(ctx, in)
	if err != nil {
		return err
	}
	progress := map[uuid.UUID]task.Progress{}
	if in.At.IsZero() { // progress is not known for the past
		if progress, err = s.progress(ctx, board.Tasks); err != nil {
			return err
		}
	}
	body, err := appendBoard(nil, board, progress)
	if err != nil {
		return err
	}
	return sendJSON(c, body)
}

// heads keeps the highest position given so far for a moment, so that not every list asks the database. An older
// position is never wrong: a client only gets events again that it has seen.
type heads struct {
	read func(context.Context) (int64, error)
	last atomic.Pointer[headAt]
	mu   sync.Mutex
}

type headAt struct {
	pos int64
	at  time.Time
}

// headsFresh is how long a position is used.
const headsFresh = 500 * time.Millisecond

func newHeads(read func(context.Context) (int64, error)) *heads { return &heads{read: read} }

func (h *heads) pos(ctx context.Context) (int64, error) {
	if last := h.last.Load(); last != nil && time.Since(last.at) < headsFresh {
		return last.pos, nil
	}
	last := h.last.Load()
	if !h.mu.TryLock() { // somebody asks already
		if last != nil {
			return last.pos, nil
		}
		h.mu.Lock()
	}
	defer h.mu.Unlock()
	at := time.Now()
	pos, err := h.read(ctx)
	if err != nil {
		return 0, err
	}
	h.last.Store(&headAt{pos: pos, at: at})
	return pos, nil
}
