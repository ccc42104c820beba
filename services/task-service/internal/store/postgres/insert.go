package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/flow"
	pgdb "github.com/tallyboard/tallyboard/services/task-service/internal/store/postgres/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/store/query"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// maxArrayRows bounds the arrays of one statement, and with them the memory an import takes.
const maxArrayRows = 1000

func (t *tx) InsertTasks(ctx context.Context, tasks []*task.Task) error {
	for part := range slices.Chunk(tasks, maxArrayRows) {
		if err := t.q.InsertTasks(ctx, taskArrays(part)); err != nil {
			return err
		}
	}
	var assignees, labels links
	for _, x := range tasks {
		assignees.add(x.ID, x.Assignees)
		labels.add(x.ID, x.Labels)
	}
	return t.link(ctx, assignees, labels)
}

// links are pairs of a task and what it has.
type links struct{ tasks, others []uuid.UUID }

func (l *links) add(taskID uuid.UUID, ids []uuid.UUID) {
	for _, id := range ids {
		l.tasks, l.others = append(l.tasks, taskID), append(l.others, id)
	}
}

func (t *tx) link(ctx context.Context, assignees, labels links) error {
	if len(assignees.tasks) > 0 {
		if err := t.q.InsertAssignees(ctx, pgdb.InsertAssigneesParams{Tasks: assignees.tasks, People: assignees.others}); err != nil {
			return err
		}
	}
	if len(labels.tasks) > 0 {
		return t.q.InsertLabels(ctx, pgdb.InsertLabelsParams{Tasks: labels.tasks, Labels: labels.others})
	}
	return nil
}

func taskArrays(tasks []*task.Task) pgdb.InsertTasksParams {
	var a pgdb.InsertTasksParams
	for _, t := range tasks {
		a.Ids = append(a.Ids, t.ID)
		a.ProjectIds = append(a.ProjectIds, t.ProjectID)
		a.Numbers = append(a.Numbers, t.Number)
		a.Titles = append(a.Titles, t.Title)
		a.TitleKeys = append(a.TitleKeys, query.TitleKey(t.Title))
		a.Descriptions = append(a.Descriptions, t.Description)
		a.Words = append(a.Words, query.Words(t.ProjectID, t.Title, t.Description))
		a.StateIds = append(a.StateIds, t.StateID)
		a.Ranks = append(a.Ranks, t.Rank)
		a.Priorities = append(a.Priorities, int16(t.Priority))
		a.Assignees = append(a.Assignees, arrayText(t.Assignees))
		a.Labels = append(a.Labels, arrayText(t.Labels))
		a.Starts = append(a.Starts, string(t.Start))
		a.Dues = append(a.Dues, string(t.Due))
		a.Estimates = append(a.Estimates, numberText(t.Estimate))
		a.Parents = append(a.Parents, idText(t.ParentID))
		a.Recurrences = append(a.Recurrences, t.Recurrence)
		a.Versions = append(a.Versions, t.Version)
		a.Seqs = append(a.Seqs, t.Seq)
		a.Created = append(a.Created, t.Created)
		a.CreatedBy = append(a.CreatedBy, t.CreatedBy)
		a.Updated = append(a.Updated, t.Updated)
		a.UpdatedBy = append(a.UpdatedBy, t.UpdatedBy)
		a.Started = append(a.Started, timeText(t.Started))
		a.Completed = append(a.Completed, timeText(t.Completed))
		a.Trashed = append(a.Trashed, timeText(t.Trashed))
		a.LastAt = append(a.LastAt, t.LastAt)
		a.Sources = append(a.Sources, t.Source)
	}
	return a
}

// arrayText writes a uuid[] literal.
func arrayText(ids []uuid.UUID) string {
	if len(ids) == 0 {
		return "{}"
	}
	var b strings.Builder
	for i, id := range ids {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(id.String())
	}
	b.WriteByte('}')
	return b.String()
}

func numberText(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

func idText(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

func timeText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func (t *tx) InsertEvents(ctx context.Context, events []history.Event) error {
	for part := range slices.Chunk(events, maxArrayRows) {
		var a pgdb.InsertEventsParams
		for _, e := range part {
			changes, err := json.Marshal(e.Changes)
			if err != nil {
				return fmt.Errorf("encode changes: %w", err)
			}
			if e.Changes == nil {
				changes = []byte("[]")
			}
			a.ProjectIds = append(a.ProjectIds, e.ProjectID)
			a.Aggregates = append(a.Aggregates, string(e.Aggregate))
			a.AggregateIds = append(a.AggregateIds, e.AggregateID)
			a.Seqs = append(a.Seqs, e.Seq)
			a.Kinds = append(a.Kinds, string(e.Kind))
			a.Actors = append(a.Actors, e.Actor)
			a.Changes = append(a.Changes, string(changes))
			a.Occurred = append(a.Occurred, e.Occurred)
			a.Recorded = append(a.Recorded, e.Recorded)
			a.Traceparents = append(a.Traceparents, e.Traceparent)
		}
		if err := t.q.InsertEvents(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) InsertReplays(ctx context.Context, replays []flow.Replay) error {
	if len(replays) == 0 {
		return nil
	}
	var a pgdb.InsertReplaysParams
	for i := range replays {
		r := &replays[i]
		a.Actors = append(a.Actors, r.Actor)
		a.Ikeys = append(a.Ikeys, r.Key)
		a.Requests = append(a.Requests, r.Request[:])
		a.Results = append(a.Results, r.Result)
		a.Created = append(a.Created, r.Created)
	}
	return t.q.InsertReplays(ctx, a)
}

func (t *tx) PutRelations(ctx context.Context, rs []task.Relation) error {
	if len(rs) == 0 {
		return nil
	}
	var a pgdb.PutRelationsParams
	for _, r := range rs {
		a.FromIds = append(a.FromIds, r.From)
		a.Kinds = append(a.Kinds, string(r.Kind))
		a.ToIds = append(a.ToIds, r.To)
		a.Created = append(a.Created, r.Created)
	}
	return t.q.PutRelations(ctx, a)
}

func (t *tx) PutComments(ctx context.Context, cs []task.Comment) error {
	if len(cs) == 0 {
		return nil
	}
	var a pgdb.PutCommentsParams
	for _, c := range cs {
		a.Ids = append(a.Ids, c.ID)
		a.Tasks = append(a.Tasks, c.TaskID)
		a.Authors = append(a.Authors, c.Author)
		a.Bodies = append(a.Bodies, c.Body)
		a.Mentions = append(a.Mentions, arrayText(c.Mentions))
		a.Created = append(a.Created, c.Created)
		a.Edited = append(a.Edited, timeText(c.Edited))
	}
	return t.q.PutComments(ctx, a)
}
