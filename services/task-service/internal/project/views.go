package project

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/filter"
)

var (
	layouts = []Layout{Board, List, Calendar, Timeline}
	groups  = []string{"", "state", "assignee", "priority", "label"}
)

// ListViews returns the views the viewer sees: shared ones and their own.
func (s *Service) ListViews(ctx context.Context, key string, viewer uuid.UUID) ([]View, error) {
	p, err := s.Recent(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.d.Views.Views(ctx, p.ID, viewer)
}

// AddView saves a view for its actor.
func (s *Service) AddView(ctx context.Context, w Write, key string, in ViewInput) (View, error) {
	p, err := s.Get(ctx, key)
	if err != nil {
		return View{}, err
	}
	if err := p.Writable(); err != nil {
		return View{}, err
	}
	v, err := in.view()
	if err != nil {
		return View{}, err
	}
	have, err := s.d.Views.Views(ctx, p.ID, w.Actor)
	if err != nil {
		return View{}, err
	}
	if len(have) >= MaxViews {
		return View{}, apperr.New(apperr.Unprocessable, "A project can have at most %d views.", MaxViews)
	}
	if v.ID, err = newID(); err != nil {
		return View{}, err
	}
	at := s.d.Clock()
	v.ProjectID, v.Owner, v.Version, v.Created, v.Updated = p.ID, w.Actor, 1, at, at
	return s.save(ctx, w, v)
}

// ReplaceView replaces a view under w.IfVersion. Its owner may, and owners of the project where it is shared.
func (s *Service) ReplaceView(ctx context.Context, w Write, ref ViewRef, in ViewInput) (View, error) {
	was, err := s.ownView(ctx, w, ref)
	if err != nil {
		return View{}, err
	}
	v, err := in.view()
	if err != nil {
		return View{}, err
	}
	v.ID, v.ProjectID, v.Owner, v.Created = was.ID, was.ProjectID, was.Owner, was.Created
	v.Version, v.Updated = was.Version+1, s.d.Clock()
	if w.IfVersion == 0 {
		w.IfVersion = was.Version // nobody's change in between gets lost
	}
	return s.save(ctx, w, v)
}

func (s *Service) save(ctx context.Context, w Write, v View) (View, error) {
	v, err := s.d.Views.SaveView(ctx, w, v)
	if err != nil {
		return View{}, err
	}
	s.d.Wake()
	return v, nil
}

// RemoveView removes a view. Its owner may, and owners of the project where it is shared.
func (s *Service) RemoveView(ctx context.Context, w Write, ref ViewRef) error {
	was, err := s.ownView(ctx, w, ref)
	if apperr.Is(err, apperr.NotFound) && w.Key != "" { // removed by an earlier attempt of this request, the store knows
		var p *Project
		if p, err = s.Get(ctx, ref.Project); err == nil {
			was = View{ProjectID: p.ID, ID: ref.ID}
		}
	}
	if err != nil {
		return err
	}
	if err := s.d.Views.RemoveView(ctx, w, was.ProjectID, was.ID); err != nil {
		return err
	}
	s.d.Wake()
	return nil
}

// ownView returns a view its actor may change.
func (s *Service) ownView(ctx context.Context, w Write, ref ViewRef) (View, error) {
	p, err := s.Get(ctx, ref.Project)
	if err != nil {
		return View{}, err
	}
	if err := p.Writable(); err != nil {
		return View{}, err
	}
	views, err := s.d.Views.Views(ctx, p.ID, w.Actor)
	if err != nil {
		return View{}, err
	}
	i := slices.IndexFunc(views, func(v View) bool { return v.ID == ref.ID })
	switch {
	case i < 0:
		return View{}, apperr.New(apperr.NotFound, "There is no such view in project %s.", p.Key)
	case views[i].Owner != w.Actor && !p.OwnedBy(w.Actor):
		return View{}, apperr.New(apperr.Forbidden, "Only its owner and the project's owners can change a view.")
	}
	return views[i], nil
}

// view checks the input.
func (in ViewInput) view() (View, error) {
	v := View{Filter: in.Filter, Layout: in.Layout, GroupBy: in.GroupBy, Sort: in.Sort, Shared: in.Shared}
	var err error
	if v.Name, err = cleanName(in.Name, MaxViewName); err != nil {
		return v, err
	}
	if v.Layout == "" {
		v.Layout = Board
	}
	if !slices.Contains(layouts, v.Layout) {
		return v, apperr.InvalidField("layout", "must be one of board, list, calendar, timeline")
	}
	if !slices.Contains(groups, v.GroupBy) {
		return v, apperr.InvalidField("groupBy", "must be empty or one of state, assignee, priority, label")
	}
	if _, _, err := filter.ParseSort(v.Sort); err != nil {
		return v, err
	}
	if _, err := filter.Parse(v.Filter); err != nil {
		return v, err
	}
	return v, nil
}
