package exporter

import (
	"time"

	"github.com/tallyboard/tallyboard/services/task-service/internal/account"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// Version of the JSON format. A reader refuses greater ones.
const Version = 1

// Header begins a JSON export. The document is an object of these members, in this order:
//
//	tallyboard  Header
//	project     project.Project
//	people      []Person, everybody the tasks and events name
//	views       []project.View, those the exporting person sees
//	tasks       []Task, by number, trashed ones included
type Header struct {
	Format   int       `json:"format"`
	Exported time.Time `json:"exported"`
}

// Person is a person as exports have them.
type Person struct {
	ID     string       `json:"id"`
	Handle string       `json:"handle"`
	Name   string       `json:"name"`
	Kind   account.Kind `json:"kind"`
}

// Task is a task with all that belongs to it.
type Task struct {
	Task      *task.Task      `json:"task"`
	Comments  []task.Comment  `json:"comments,omitempty"`
	Relations []task.Relation `json:"relations,omitempty"` // those that start here
	Events    []history.Event `json:"events"`              // oldest first
}

// Project is the settings; see project.Project for the members.
type Project = project.Project
