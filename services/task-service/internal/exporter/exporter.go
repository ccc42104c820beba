// Package exporter writes a project as JSON, complete and re-importable, or its tasks as CSV.
package exporter

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Views is what an export needs of views; project.ViewStore has it.
type Views interface {
	Views(ctx context.Context, project uuid.UUID, viewer uuid.UUID) ([]project.View, error)
}

// Deps are what exports read from.
type Deps struct {
	Reader   task.Reader
	History  task.HistoryReader
	Projects task.Projects
	Views    Views
	People   account.Store
}

// Exporter exports projects.
type Exporter struct{ d Deps }

func New(d Deps) *Exporter { return &Exporter{d: d} }

// JSON streams the project to w.
func (ex *Exporter) JSON(ctx context.Context, w io.Writer, projectKey string, viewer uuid.UUID) error {
	panic("x")
}

// CSV streams a row per task to w, in order of number, trashed ones left out.
func (ex *Exporter) CSV(ctx context.Context, w io.Writer, projectKey string) error { panic("x") }
