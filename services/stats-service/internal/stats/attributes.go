package stats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// What the projections can hold; an event beyond it is parked.
const (
	maxIDs       = 256 // assignees or labels of a task
	maxStateName = 120 // characters
)

// Years that every engine's timestamps hold.
const (
	minYear = 1000
	maxYear = 9999
)

// errEmptyState is only fine before a task's creation.
var errEmptyState = errors.New("must not be empty")

// invalid says what is wrong with an event; operators read it beside the parked task.
func invalid(format string, args ...any) error { return fmt.Errorf(format, args...) }

func checkTime(t time.Time) error {
	if y := t.Year(); y < minYear || y > maxYear {
		return invalid("its time is not plausible (year %d)", y)
	}
	return nil
}

// setAttribute sets what a change of a field concerns. Fields that projections do not keep are left alone.
func setAttribute(t *Task, field string, after json.RawMessage) error {
	var err error
	switch field {
	case "number":
		t.Number, err = decode[int64](after)
	case "state":
		if t.State, err = decodeID(after); err == nil && t.State == uuid.Nil {
			err = errEmptyState
		}
	case "priority":
		if t.Priority, err = decode[int](after); err == nil && (t.Priority < 0 || t.Priority >= priorities) {
			err = fmt.Errorf("%d is none", t.Priority)
		}
	case "assignees":
		t.Assignees, err = decodeIDs(after)
	case "labels":
		t.Labels, err = decodeIDs(after)
	case "due":
		t.Due, err = decodeDate(after)
	case "estimate":
		var v *float64
		if v, err = decode[*float64](after); err == nil && v != nil && (math.IsInf(*v, 0) || math.IsNaN(*v)) {
			err = errors.New("not a finite number")
		}
		t.Estimate = v
	}
	if err != nil {
		return invalid("%s: %w", field, err)
	}
	return nil
}

// empty reports whether a JSON value stands for nothing.
func empty(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}

// decode reads a JSON value; nothing is the zero value.
func decode[T any](raw json.RawMessage) (T, error) {
	var v T
	if empty(raw) {
		return v, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("is not a value of type %T", v)
	}
	return v, nil
}

func decodeID(raw json.RawMessage) (uuid.UUID, error) {
	s, err := decode[string](raw)
	if err != nil || s == "" {
		return uuid.Nil, err
	}
	id, err := uuid.Parse(s)
	if err != nil {
		return uuid.Nil, errors.New("is not an id")
	}
	return id, nil
}

func decodeIDs(raw json.RawMessage) ([]uuid.UUID, error) {
	values, err := decode[[]string](raw)
	if err != nil {
		return nil, err
	}
	if len(values) > maxIDs {
		return nil, fmt.Errorf("has %d values, %d at most can be kept", len(values), maxIDs)
	}
	var ids []uuid.UUID
	for _, s := range values {
		id, err := uuid.Parse(s)
		if err != nil || id == uuid.Nil {
			return nil, errors.New("contains something that is not an id")
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func decodeDate(raw json.RawMessage) (Date, error) {
	s, err := decode[string](raw)
	if err != nil || s == "" {
		return "", err
	}
	d, err := ParseDate(s)
	if err != nil {
		return "", errors.New("is not a date")
	}
	return d, nil
}

// decodeStates reads the whole list of a project's states in board order. States that are no longer in it are kept,
// archived: history names them.
func decodeStates(raw json.RawMessage, known map[uuid.UUID]State) ([]State, error) {
	type wire struct {
		ID       string   `json:"id"`
		Name     string   `json:"name"`
		Category Category `json:"category"`
		WIPLimit *int     `json:"wipLimit"`
		Archived bool     `json:"archived"`
	}
	list, err := decode[[]wire](raw)
	if err != nil {
		return nil, invalid("states: %s", err)
	}
	out := make([]State, 0, len(list))
	listed := make(map[uuid.UUID]bool, len(list))
	for i, s := range list {
		id, err := uuid.Parse(s.ID)
		switch {
		case err != nil || id == uuid.Nil || listed[id]:
			return nil, invalid("states[%d]: no id of its own", i)
		case !s.Category.Valid():
			return nil, invalid("states[%d]: unknown category %q", i, s.Category)
		case known[id].Category != "" && known[id].Category != s.Category:
			return nil, invalid("states[%d]: its category changed from %s to %s", i, known[id].Category, s.Category)
		case utf8.RuneCountInString(s.Name) > maxStateName:
			return nil, invalid("states[%d]: its name is too long", i)
		case s.WIPLimit != nil && (*s.WIPLimit < 0 || *s.WIPLimit > math.MaxInt32):
			return nil, invalid("states[%d]: its limit is out of range", i)
		}
		listed[id] = true
		out = append(out, State{
			ID: id, Name: s.Name, Category: s.Category, WIPLimit: s.WIPLimit, Archived: s.Archived, Position: i,
		})
	}
	for id, s := range known {
		if !listed[id] {
			s.Archived = true
			out = append(out, s)
		}
	}
	return out, nil
}
