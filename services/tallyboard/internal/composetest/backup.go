package composetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// checkBackup makes a backup, changes the data, and restores: to the backup, and to a moment after it.
func (s *stack) checkBackup(ctx context.Context) error {
	before, err := s.fingerprint(ctx)
	if err != nil {
		return err
	}
	file, err := s.stackCommand(ctx, "backup")
	if err != nil {
		return err
	}
	file = firstLine(file)
	s.report.check("make backup writes a backup", nil, file)
	if err := s.addTasks(ctx, "After the backup"); err != nil { // what the restore takes back, and the stream still has
		return err
	}
	if err := s.statsEqual(ctx); err != nil {
		return err
	}
	if err := s.restores(ctx, "make restore brings back exactly what was saved", before, file); err != nil {
		return err
	}
	s.report.check("statistics follow and equal a recount, though the old stream held later events", s.statsEqual(ctx))
	return s.checkPointInTime(ctx, file)
}

// checkPointInTime goes back from a backup that is older than the last restore, while certificates have expired.
func (s *stack) checkPointInTime(ctx context.Context, file string) error {
	if err := s.mistake(ctx, "make restore UNTIL= brings back the moment before a mistake", file, "mysql", "nats"); err != nil {
		return err
	}
	_, err := s.stackCommand(ctx, "restore", file, "2020-01-01 00:00:00")
	s.report.check("a moment before the backup is refused, and nothing stops", errors.Join(holds(err != nil, "it was not"), s.statsEqual(ctx)))
	return nil
}

// mistake works on, makes a mistake, and goes back to the moment before it, from a backup in file. The services in expired
// have certificates that have expired when the restore begins.
func (s *stack) mistake(ctx context.Context, what, file string, expired ...string) error {
	if err := s.addTasks(ctx, "Before the mistake"); err != nil {
		return err
	}
	good, err := s.fingerprint(ctx)
	if err != nil {
		return err
	}
	noted := time.Now().UTC().Format("2006-01-02 15:04:05.000000")
	tasks, err := s.tasks(ctx, apiProject)
	if err != nil {
		return err
	}
	for _, t := range tasks[:min(len(tasks), 10)] {
		a, err := s.call(ctx, http.MethodDelete, "/api/v1/tasks/"+t.ID, "", "If-Match: *")
		if err := errors.Join(err, holds(a.status < http.StatusMultipleChoices, "status %d", a.status)); err != nil {
			return err
		}
	}
	if len(expired) > 0 {
		what += ", though certificates have expired"
		if err := s.expire(ctx, expired...); err != nil {
			return err
		}
	}
	if err := s.restores(ctx, what, good, file, noted); err != nil {
		return err
	}
	a, err := s.call(ctx, http.MethodPost, "/api/v1/projects/"+apiProject+"/tasks", `{"title":"After the restore"}`)
	s.report.check("work goes on after a restore", errors.Join(err, a.is(http.StatusCreated)))
	s.report.check("statistics equal a recount", s.statsEqual(ctx))
	return nil
}

func (s *stack) addTasks(ctx context.Context, title string) error {
	for range 10 {
		a, err := s.call(ctx, http.MethodPost, "/api/v1/projects/"+apiProject+"/tasks", `{"title":"`+title+`"}`)
		if err := errors.Join(err, a.is(http.StatusCreated)); err != nil {
			return err
		}
	}
	return nil
}

// restores runs a restore and compares every task with what should be there.
func (s *stack) restores(ctx context.Context, what string, want []string, args ...string) error {
	started := time.Now()
	if _, err := s.stackCommand(ctx, append([]string{"restore"}, args...)...); err != nil {
		return err
	}
	have, err := s.fingerprint(ctx)
	if err != nil {
		return err
	}
	s.report.check(what, holds(slices.Equal(want, have), "%d tasks should be there, %d are", len(want), len(have)), seconds(started))
	return nil
}

// fingerprint lists every task with its version, of the projects that there are.
func (s *stack) fingerprint(ctx context.Context) ([]string, error) {
	var list struct{ Projects []struct{ Key string } }
	if err := s.get(ctx, s.base, "/api/v1/projects", &list); err != nil {
		return nil, err
	}
	var prints []string
	for _, project := range list.Projects {
		tasks, err := s.tasks(ctx, project.Key)
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			prints = append(prints, fmt.Sprintf("%s %s %d %s", t.ID, t.Key, t.Version, t.Title))
		}
	}
	slices.Sort(prints)
	return prints, nil
}
