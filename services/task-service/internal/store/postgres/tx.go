package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	pgdb "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// tx implements flow.Tx on a pipeline: reads are a round trip each, writes none.
type tx struct {
	p *pipeline
	q *pgdb.Queries
}

var _ flow.Tx = (*tx)(nil)

// LockCounters locks and reads the greatest rank in one round trip. The second statement has a snapshot of its own, taken
// once the lock is there.
func (t *tx) LockCounters(ctx context.Context, id uuid.UUID) (c flow.Counters, err error) {
	results, err := t.p.send(ctx, func(b *pgx.Batch) {
		b.Queue(pgdb.LockCountersText, id)
		b.Queue(pgdb.LastRankText, id)
	})
	if err != nil {
		return c, err
	}
	if err := results.QueryRow().Scan(&c.LastNumber, &c.Version); err != nil {
		return c, closing(results, orNotFound(err, "There is no such project."))
	}
	var none error
	if _, none = orNone(0, results.QueryRow().Scan(&c.LastRank)); none != nil {
		return c, closing(results, none)
	}
	return c, results.Close()
}

func (t *tx) ShareProject(ctx context.Context, id uuid.UUID) (int64, error) {
	version, err := t.q.ShareProject(ctx, id)
	return version, orNotFound(err, "There is no such project.")
}

func (t *tx) LockProject(ctx context.Context, id uuid.UUID) (*project.Project, error) {
	row, err := t.q.ProjectForUpdate(ctx, id)
	if err != nil {
		return nil, orNotFound(err, "There is no such project.")
	}
	return readProject(ctx, t.q, row)
}

func (t *tx) Settings(ctx context.Context, id uuid.UUID) (*project.Project, error) {
	row, err := t.q.ProjectByID(ctx, id)
	if err != nil {
		return nil, orNotFound(err, "There is no such project.")
	}
	return readProject(ctx, t.q, row)
}

const (
	lockTasks  = "SELECT " + string(query.TaskColumns) + " FROM tasks t WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE"
	lockTask   = taskByNumber + " FOR UPDATE"
	lockTaskID = taskByID + " FOR UPDATE"
)

func (t *tx) LockTasks(ctx context.Context, ids []uuid.UUID) ([]*task.Task, error) {
	switch len(ids) {
	case 0:
		return nil, nil
	case 1:
		return selectTasks(ctx, t.p, lockTaskID, []any{ids[0]})
	}
	return selectTasks(ctx, t.p, lockTasks, []any{ids})
}

func (t *tx) LockTask(ctx context.Context, projectID uuid.UUID, number int64) (*task.Task, error) {
	return one(selectTasks(ctx, t.p, lockTask, []any{projectID, number}))
}

func (t *tx) Task(ctx context.Context, id uuid.UUID) (*task.Task, error) {
	return one(selectTasks(ctx, t.p, taskByID, []any{id}))
}

// one returns the first task, or nil.
func one(ts []*task.Task, err error) (*task.Task, error) {
	if err != nil || len(ts) == 0 {
		return nil, err
	}
	return ts[0], nil
}

func (t *tx) Replays(ctx context.Context, actor uuid.UUID, keys []string) ([]flow.Replay, error) {
	rows, err := t.q.Replays(ctx, pgdb.ReplaysParams{Actor: actor, Ikeys: keys})
	if err != nil {
		return nil, err
	}
	rs := make([]flow.Replay, len(rows))
	for i, r := range rows {
		if len(r.Request) != len(rs[i].Request) {
			return nil, fmt.Errorf("idempotency record has a hash of %d bytes", len(r.Request))
		}
		rs[i] = flow.Replay{Actor: r.Actor, Key: r.Ikey, Request: [32]byte(r.Request), Result: r.Result, Created: r.Created}
	}
	return rs, nil
}

func (t *tx) FirstRank(ctx context.Context, p uuid.UUID) (string, error) {
	return orNone(t.q.FirstRank(ctx, p))
}

func (t *tx) LastRank(ctx context.Context, p uuid.UUID) (string, error) {
	return orNone(t.q.LastRank(ctx, p))
}

func (t *tx) RankOf(ctx context.Context, p, id uuid.UUID) (string, error) {
	return orNone(t.q.RankOf(ctx, pgdb.RankOfParams{ID: id, ProjectID: p}))
}

func (t *tx) NextRank(ctx context.Context, p uuid.UUID, rank string) (string, error) {
	return orNone(t.q.NextRank(ctx, pgdb.NextRankParams{ProjectID: p, TaskRank: rank}))
}

func (t *tx) PreviousRank(ctx context.Context, p uuid.UUID, rank string) (string, error) {
	return orNone(t.q.PreviousRank(ctx, pgdb.PreviousRankParams{ProjectID: p, TaskRank: rank}))
}

func (t *tx) RanksIn(ctx context.Context, p uuid.UUID, ranks []string) ([]string, error) {
	return t.q.RanksIn(ctx, pgdb.RanksInParams{ProjectID: p, TaskRanks: ranks})
}

func (t *tx) SourcesIn(ctx context.Context, p uuid.UUID, sources []string) ([]string, error) {
	return sourcesIn(ctx, t.q, p, sources)
}

func sourcesIn(ctx context.Context, q *pgdb.Queries, p uuid.UUID, sources []string) ([]string, error) {
	rows, err := q.SourcesIn(ctx, pgdb.SourcesInParams{ProjectID: p, Sources: sources})
	if err != nil {
		return nil, err
	}
	found := make([]string, 0, len(rows))
	for _, r := range rows {
		if r != nil {
			found = append(found, *r)
		}
	}
	return found, nil
}

func (t *tx) ParentOf(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	parent, err := orNone(t.q.ParentOf(ctx, id))
	if err != nil || parent == nil {
		return uuid.Nil, err
	}
	return *parent, nil
}

func (t *tx) ChildrenOf(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	return t.q.ChildrenOf(ctx, ids)
}

func (t *tx) CountChildren(ctx context.Context, id uuid.UUID) (int64, error) {
	return t.q.CountChildren(ctx, &id)
}

func (t *tx) RelatedFrom(ctx context.Context, kind task.RelationKind, ids []uuid.UUID) ([]uuid.UUID, error) {
	return t.q.RelatedFrom(ctx, pgdb.RelatedFromParams{Kind: string(kind), FromIds: ids})
}

func (t *tx) Relations(ctx context.Context, id uuid.UUID) ([]task.Relation, error) {
	return relations(ctx, t.q, id)
}

// relations reads both sides; each uses its own index.
func relations(ctx context.Context, q *pgdb.Queries, id uuid.UUID) ([]task.Relation, error) {
	from, err := q.RelationsFrom(ctx, id)
	if err != nil {
		return nil, err
	}
	to, err := q.RelationsTo(ctx, id)
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
	row, err := t.q.Comment(ctx, pgdb.CommentParams{TaskID: taskID, ID: id})
	if err != nil {
		return task.Comment{}, orNotFound(err, "There is no such comment.")
	}
	return toComment(row), nil
}

func (t *tx) StateInUse(ctx context.Context, p uuid.UUID, states []uuid.UUID) (bool, error) {
	live, err := t.q.LiveTaskIn(ctx, pgdb.LiveTaskInParams{ProjectID: p, StateIds: states})
	if err != nil || len(live) > 0 {
		return len(live) > 0, err
	}
	trashed, err := t.q.TrashedTaskIn(ctx, pgdb.TrashedTaskInParams{ProjectID: p, StateIds: states})
	return len(trashed) > 0, err
}

func (t *tx) View(ctx context.Context, p, id uuid.UUID) (project.View, error) {
	row, err := t.q.View(ctx, pgdb.ViewParams{ProjectID: p, ID: id})
	if err != nil {
		return project.View{}, orNotFound(err, "There is no such view.")
	}
	return toView(row), nil
}

func (t *tx) CountViews(ctx context.Context, p uuid.UUID) (int64, error) {
	return t.q.CountViews(ctx, p)
}
