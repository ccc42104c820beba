package flow

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Keys remembers which project has which key; neither ever changes. It is safe for concurrent use.
type Keys struct {
	mu    sync.RWMutex
	byID  map[uuid.UUID]string
	byKey map[string]uuid.UUID
}

// ID returns the id of a key that has been seen.
func (k *Keys) ID(key string) (uuid.UUID, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	id, ok := k.byKey[key]
	return id, ok
}

// Put remembers a project.
func (k *Keys) Put(id uuid.UUID, key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID, k.byKey = map[uuid.UUID]string{}, map[string]uuid.UUID{}
	}
	k.byID[id], k.byKey[key] = key, id
}

func (k *Keys) key(id uuid.UUID) (string, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	key, ok := k.byID[id]
	return key, ok
}

// Fill sets the project's key of tasks that lack it. load reads the key of a project not seen yet.
func (k *Keys) Fill(ctx context.Context, tasks []*task.Task, load func(ctx context.Context, id uuid.UUID) (string, error)) error {
	for _, t := range tasks {
		if t.ProjectKey != "" {
			continue
		}
		key, ok := k.key(t.ProjectID)
		if !ok {
			var err error
			if key, err = load(ctx, t.ProjectID); err != nil {
				return err
			}
			k.Put(t.ProjectID, key)
		}
		t.ProjectKey = key
	}
	return nil
}
