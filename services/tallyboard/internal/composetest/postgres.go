package composetest

import (
	"context"
	"slices"
	"strings"
	"time"
)

// pulled is how long fetching an image may take.
const pulled = 5 * time.Minute

// onPostgres is the stack with PostgreSQL in place of MySQL.
func (s *stack) onPostgres() *stack {
	variant := *s
	// The two engines share the stream, but no data: what MySQL's events left there goes.
	variant.environ = append(slices.Clone(s.environ), "COMPOSE_FILE=compose.yaml:deploy/compose/postgres.yaml", "PROVISION_DISCARD_STREAM=true")
	return &variant
}

// checkPostgres puts PostgreSQL in MySQL's place and goes back to a moment by a base backup and the archived log.
func (s *stack) checkPostgres(ctx context.Context) error {
	variant := s.onPostgres()
	if err := variant.imageThere(ctx, "postgres"); err != nil {
		s.report.notef("left out, for its image cannot be had; `go test ./services/tallyboard/internal/recovery` runs the same scripts: %v", err)
		return nil
	}
	if _, err := variant.stackCommand(ctx, "up"); err != nil {
		return err
	}
	s.report.check("PostgreSQL takes MySQL's place", nil)
	if err := variant.newProject(ctx, apiProject); err != nil {
		return err
	}
	if err := variant.addTasks(ctx, "In the base backup"); err != nil {
		return err
	}
	based := *variant
	based.environ = append(slices.Clone(variant.environ), "BASE=1")
	file, err := based.stackCommand(ctx, "backup")
	if err != nil {
		return err
	}
	file = firstLine(file)
	s.report.check("make backup BASE=1 writes a base backup", nil, file)
	return variant.mistake(ctx, "make restore UNTIL= brings PostgreSQL back to the moment before a mistake", file)
}

// imageThere returns an error unless a service's image is here or can be had.
func (s *stack) imageThere(ctx context.Context, service string) error {
	out, err := s.compose(ctx, "config", "--images", service)
	if err != nil {
		return err
	}
	for image := range strings.FieldsSeq(out) {
		if !strings.HasPrefix(image, service+":") {
			continue // of a service that it depends on
		}
		if _, err := s.command(ctx, "docker", "image", "inspect", "--format", "{{.Id}}", image); err != nil {
			ctx, cancel := context.WithTimeout(ctx, pulled)
			defer cancel()
			_, err = s.command(ctx, "docker", "pull", "--quiet", image)
			return err
		}
	}
	return nil
}
