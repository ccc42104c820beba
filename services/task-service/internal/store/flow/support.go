package flow

import (
	"context"
	"math"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/db"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Retry runs fn again while it loses against others' locks.
func Retry(ctx context.Context, fn func(context.Context) error) error {
	return db.RetryTx(ctx, lockAttempts, fn)
}

// Limit32 returns a row limit as the engines take it; none or too much is the most there can be.
func Limit32(limit int) int32 {
	if limit <= 0 || limit > math.MaxInt32 {
		return math.MaxInt32
	}
	return int32(limit)
}

// Fenced answers a relay whose epoch is over.
func Fenced(epoch, newer int64) error {
	return apperr.New(apperr.Conflict, "The relay of epoch %d has been succeeded by that of epoch %d.", epoch, newer)
}

// Named returns the ids of the parent and of the tasks a task's relations name, each once.
func Named(self *task.Task, relations []task.Relation) []uuid.UUID {
	var ids []uuid.UUID
	seen := map[uuid.UUID]bool{self.ID: true}
	add := func(id uuid.UUID) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	if self.ParentID != nil {
		add(*self.ParentID)
	}
	for _, r := range relations {
		add(r.From)
		add(r.To)
	}
	return ids
}
