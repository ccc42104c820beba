package task_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// TestReadmeNamesTheLimits holds the README's table against the constants.
func TestReadmeNamesTheLimits(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		fmt.Sprintf("| key of a project | 2 to %d characters", project.MaxKey),
		fmt.Sprintf("| name, description of a project | %d, %d characters |", project.MaxName, project.MaxDescription),
		fmt.Sprintf("| states, labels, members, saved views of a project | %d, %d, %d, %d |", project.MaxStates, project.MaxLabels, project.MaxMembers, project.MaxViews),
		fmt.Sprintf("| title, description of a task | %d, %d characters |", task.MaxTitle, task.MaxDescription),
		fmt.Sprintf("| comment | %d characters |", task.MaxComment),
		fmt.Sprintf("| assignees, labels, relations, subtasks of a task | %d, %d, %d, %d |", task.MaxAssignees, task.MaxLabels, task.MaxRelations, task.MaxSubtasks),
		fmt.Sprintf("| levels of subtasks | %d |", task.MaxDepth),
		fmt.Sprintf("| estimate | %d |", task.MaxEstimate),
		fmt.Sprintf("| WIP limit | %d |", project.MaxWIPLimit),
		fmt.Sprintf("| tasks in one bulk edit | %d |", task.MaxBulk),
		fmt.Sprintf("| tasks in one page of a list | %d (%d unless asked) |", task.MaxPage, task.DefaultPage),
	} {
		if !strings.Contains(string(text), row) {
			t.Errorf("README.md lacks the row %q", row)
		}
	}
}
