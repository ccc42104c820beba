package mysql

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	mysqldb "github.com/tallyboard/tallyboard/services/task-service/internal/store/mysql/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// tx implements flow.Tx: each method is one statement, or one for each kind of row.
type tx struct {
	c *sql.Tx
	q *mysqldb.Queries
}

var _ flow.Tx = (*tx)(nil)

// lockCounters locks and reads the greatest rank in one round trip: the lock is waited for first, and the subquery, which
// locks nothing, then sees what is committed. sqlc cannot tell the subquery's type.
const lockCounters = `SELECT c.last_number, c.version,
  COALESCE((SELECT MAX(t.task_rank) FROM tasks t WHERE t.project_id = c.project_id), '')
FROM project_counters c WHERE c.project_id = ? FOR UPDATE`

func (t *tx) LockCounters(ctx context.Context, id uuid.UUID) (c flow.Counters, err error) {
	err = t.c.QueryRowContext(ctx, lockCounters, id[:]).Scan(&c.LastNumber, &c.Version, &c.LastRank)
	return c, orNotFound(err, "There is no such project.")
}

func (t *tx) ShareProject(ctx context.Context, id uuid.UUID) (int64, error) {
	version, err := t.q.ShareProject(ctx, id[:])
	return version, orNotFound(err, "There is no such project.")
}

func (t *tx) LockProject(ctx context.Context, id uuid.UUID) (*project.Project, error) {
	row, err := t.q.ProjectForUpdate(ctx, id[:])
	if err != nil {
		return nil, orNotFound(err, "There is no such project.")
	}
	return readProject(ctx, t.q, row)
}

func (t *tx) Settings(ctx context.Context, id uuid.UUID) (*project.Project, error) {
	row, err := t.q.ProjectByID(ctx, id[:])
	if err != nil {
		return nil, orNotFound(err, "There is no such project.")
	}
	return readProject(ctx, t.q, row)
}

func (t *tx) LockTasks(ctx context.Context, ids []uuid.UUID) ([]*task.Task, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	s := query.MySQL.New().Text("SELECT ").Text(query.TaskColumns).Text(" FROM tasks t WHERE t.id ")
	if len(ids) == 1 {
		s.Text("= ").ID(ids[0])
	} else {
		s.Text("IN ").IDs(ids).Text(" ORDER BY t.id")
	}
	text, args := s.Text(" FOR UPDATE").Build()
	return selectTasks(ctx, t.c, text, args)
}

func (t *tx) LockTask(ctx context.Context, projectID uuid.UUID, number int64) (*task.Task, error) {
	return one(selectTasks(ctx, t.c,
		"SELECT "+string(query.TaskColumns)+" FROM tasks t WHERE t.project_id = ? AND t.number = ? FOR UPDATE", []any{projectID[:], number}))
}

func (t *tx) Task(ctx context.Context, id uuid.UUID) (*task.Task, error) {
	return one(selectTasks(ctx, t.c, "SELECT "+string(query.TaskColumns)+" FROM tasks t WHERE t.id = ?", []any{id[:]}))
}

// one returns the first task, or nil.
func one(ts []*task.Task, err error) (*task.Task, error) {
	if err != nil || len(ts) == 0 {
		return nil, err
	}
	return ts[0], nil
}

func (t *tx) Replays(ctx context.Context, actor uuid.UUID, keys []string) ([]flow.Replay, error) {
	rows, err := t.q.Replays(ctx, mysqldb.ReplaysParams{Actor: actor[:], Ikeys: keys})
	if err != nil {
		return nil, err
	}
	rs := make([]flow.Replay, len(rows))
	for i, r := range rows {
		if len(r.Request) != len(rs[i].Request) {
			return nil, fmt.Errorf("idempotency record has a hash of %d bytes", len(r.Request))
		}
		rs[i] = flow.Replay{Actor: uuid.UUID(r.Actor), Key: r.Ikey, Request: [32]byte(r.Request), Result: r.Result, Created: r.Created}
	}
	return rs, nil
}

func (t *tx) FirstRank(ctx context.Context, p uuid.UUID) (string, error) {
	return orNone(t.q.FirstRank(ctx, p[:]))
}

func (t *tx) LastRank(ctx context.Context, p uuid.UUID) (string, error) {
	return orNone(t.q.LastRank(ctx, p[:]))
}

func (t *tx) RankOf(ctx context.Context, p, id uuid.UUID) (string, error) {
	return orNone(t.q.RankOf(ctx, mysqldb.RankOfParams{ID: id[:], ProjectID: p[:]}))
}

func (t *tx) NextRank(ctx context.Context, p uuid.UUID, rank string) (string, error) {
	return orNone(t.q.NextRank(ctx, mysqldb.NextRankParams{ProjectID: p[:], TaskRank: rank}))
}

func (t *tx) PreviousRank(ctx context.Context, p uuid.UUID, rank string) (string, error) {
	return orNone(t.q.PreviousRank(ctx, mysqldb.PreviousRankParams{ProjectID: p[:], TaskRank: rank}))
}

func (t *tx) RanksIn(ctx context.Context, p uuid.UUID, ranks []string) ([]string, error) {
	return t.q.RanksIn(ctx, mysqldb.RanksInParams{ProjectID: p[:], Ranks: ranks})
}

func (t *tx) SourcesIn(ctx context.Context, p uuid.UUID, sources []string) ([]string, error) {
	return sourcesIn(ctx, t.q, p, sources)
}

func sourcesIn(ctx context.Context, q *mysqldb.Queries, p uuid.UUID, sources []string) ([]string, error) {
	wanted := make([]sql.NullString, len(sources))
	for i, s := range sources {
		wanted[i] = sql.NullString{String: s, Valid: true}
	}
	rows, err := q.SourcesIn(ctx, mysqldb.SourcesInParams{ProjectID: p[:], Sources: wanted})
	if err != nil {
		return nil, err
	}
	found := make([]string, len(rows))
	for i, r := range rows {
		found[i] = r.String
	}
	return found, nil
}

func (t *tx) ParentOf(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	b, err := orNone(t.q.ParentOf(ctx, id[:]))
	if err != nil || len(b) == 0 {
		return uuid.Nil, err
	}
	return uuid.UUID(b), nil
}

func (t *tx) ChildrenOf(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	rows, err := t.q.ChildrenOf(ctx, fromIDs(ids))
	return toIDs(rows), err
}

func (t *tx) CountChildren(ctx context.Context, id uuid.UUID) (int64, error) {
	return t.q.CountChildren(ctx, id[:])
}

func (t *tx) RelatedFrom(ctx context.Context, kind task.RelationKind, ids []uuid.UUID) ([]uuid.UUID, error) {
	rows, err := t.q.RelatedFrom(ctx, mysqldb.RelatedFromParams{Kind: string(kind), Ids: fromIDs(ids)})
	return toIDs(rows), err
}

func (t *tx) Relations(ctx context.Context, id uuid.UUID) ([]task.Relation, error) {
	return relations(ctx, t.q, id)
}

// relations reads both sides; each uses its own index.
func relations(ctx context.Context, q *mysqldb.Queries, id uuid.UUID) ([]task.Relation, error) {
	from, err := q.RelationsFrom(ctx, id[:])
	if err != nil {
		return nil, err
	}
	to, err := q.RelationsTo(ctx, id[:])
	if err != nil {
		return nil, err
	}
	out := make([]task.Relation, 0, len(from)+len(to))
	for _, r := range append(from, to...) {
		out = append(out, toRelation(r))
	}
	return out, nil
}

func (t *tx) Comment(ctx context.Context, taskID, id uuid.UUID) (task.Comment, error) {
	row, err := t.q.Comment(ctx, mysqldb.CommentParams{TaskID: taskID[:], ID: id[:]})
	if err != nil {
		return task.Comment{}, orNotFound(err, "There is no such comment.")
	}
	return toComment(row), nil
}

func (t *tx) StateInUse(ctx context.Context, p uuid.UUID, states []uuid.UUID) (bool, error) {
	live, err := t.q.LiveTaskIn(ctx, mysqldb.LiveTaskInParams{ProjectID: p[:], States: fromIDs(states)})
	if err != nil || len(live) > 0 {
		return len(live) > 0, err
	}
	trashed, err := t.q.TrashedTaskIn(ctx, mysqldb.TrashedTaskInParams{ProjectID: p[:], States: fromIDs(states)})
	return len(trashed) > 0, err
}

func (t *tx) View(ctx context.Context, p, id uuid.UUID) (project.View, error) {
	row, err := t.q.View(ctx, mysqldb.ViewParams{ProjectID: p[:], ID: id[:]})
	if err != nil {
		return project.View{}, orNotFound(err, "There is no such view.")
	}
	return toView(row), nil
}

func (t *tx) CountViews(ctx context.Context, p uuid.UUID) (int64, error) {
	return t.q.CountViews(ctx, p[:])
}

// errNoTask is what reading a task by a ref that names none gives.
func errNoTask() error { return apperr.New(apperr.NotFound, "There is no such task.") }
