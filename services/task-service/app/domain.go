package app

import (
	"context"

	"github.com/tallyboard/tallyboard/services/task-service/internal/exporter"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/recur"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// domain holds the use cases.
type domain struct {
	projects *project.Service
	tasks    *task.Service
	importer *importer.Importer
	exporter *exporter.Exporter
}

// newDomain returns the use cases on a storage. wake is called after each commit that wrote events.
func newDomain(cfg Config, s *storage, wake func()) *domain {
	projects := project.NewService(project.Deps{Store: s.requests, Views: s.requests, People: s.requests, Wake: wake})
	return &domain{
		projects: projects,
		tasks: task.NewService(task.Deps{
			Writer: s.requests, Reader: s.requests, History: s.requests, Projects: projects, People: s.requests,
			Recurrer: recur.Rules{}, Wake: wake, Batch: cfg.Create,
		}),
		importer: importer.New(importer.Deps{
			Store: s.requests, Reader: s.requests, Projects: projects, People: s.requests, Wake: wake, TempDir: cfg.API.TempDir,
		}),
		exporter: exporter.New(exporter.Deps{Reader: s.requests, History: s.requests, Projects: projects, Views: s.requests, People: s.requests}),
	}
}

// close waits for creates that are queued.
func (d *domain) close(ctx context.Context) error { return d.tasks.Close(ctx) }
