package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// decode reads the JSON body. Beyond fiberx.DecodeJSON it refuses null where the description does not allow it, which
// encoding/json would take for an absent member.
func decode[T any](c *fiber.Ctx) (T, error) {
	var body T
	if err := fiberx.DecodeJSON(c, &body); err != nil {
		return body, err
	}
	if raw := c.Request().Body(); bytes.Contains(raw, []byte("null")) {
		if name := forbiddenNull(raw, reflect.TypeFor[T](), ""); name != "" {
			return body, apperr.InvalidField(name, "must not be null")
		}
	}
	return body, nil
}

// decodePatch is decode for bodies that must change something.
func decodePatch[T any](c *fiber.Ctx) (T, error) {
	body, err := decode[T](c)
	if err == nil && reflect.ValueOf(body).IsZero() {
		return body, apperr.InvalidField("body", "names nothing to change")
	}
	return body, err
}

// forbiddenNull returns the path of the first null in raw at a place where t has no nullable type, or "".
func forbiddenNull(raw json.RawMessage, t reflect.Type, path string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if string(bytes.TrimSpace(raw)) == "null" {
		if t.Kind() == reflect.Map { // nullable.Nullable is one
			return ""
		}
		return orBody(path)
	}
	switch t.Kind() {
	case reflect.Struct:
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil {
			return ""
		}
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if value, ok := members[name]; ok {
				if found := forbiddenNull(value, field.Type, strings.TrimPrefix(path+"."+name, ".")); found != "" {
					return found
				}
			}
		}
	case reflect.Slice:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return ""
		}
		for i, item := range items {
			if found := forbiddenNull(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); found != "" {
				return found
			}
		}
	default: // a leaf
	}
	return ""
}

func orBody(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

// fields reads text members of a body and collects what is wrong with them.
type fields struct{ faults []apperr.Field }

func (f *fields) faultf(name, format string, args ...any) {
	f.faults = append(f.faults, apperr.Field{Name: name, Message: fmt.Sprintf(format, args...)})
}

// err returns one error about all faults, or nil.
func (f *fields) err() error {
	if len(f.faults) == 0 {
		return nil
	}
	return apperr.InvalidFields(f.faults...)
}

func (f *fields) id(name, text string) uuid.UUID {
	id, ok := parseID(text)
	if !ok {
		f.faultf(name, "must be a UUID")
	}
	return id
}

// optionalID returns nil for an absent member.
func (f *fields) optionalID(name string, text *string) *uuid.UUID {
	if text == nil {
		return nil
	}
	id := f.id(name, *text)
	return &id
}

// clearableID returns nil for an absent member and uuid.Nil for null.
func (f *fields) clearableID(name string, value nullable.Nullable[string]) *uuid.UUID {
	if !value.IsSpecified() {
		return nil
	}
	id := uuid.Nil
	if !value.IsNull() {
		id = f.id(name, value.MustGet())
	}
	return &id
}

func (f *fields) ids(name string, texts []string) []uuid.UUID {
	ids := make([]uuid.UUID, len(texts))
	for i, text := range texts {
		ids[i] = f.id(fmt.Sprintf("%s[%d]", name, i), text)
	}
	return ids
}

// optionalIDs returns nil for an absent member.
func (f *fields) optionalIDs(name string, texts *[]string) *[]uuid.UUID {
	if texts == nil {
		return nil
	}
	ids := f.ids(name, *texts)
	return &ids
}

// list returns nothing for an absent member.
func (f *fields) list(name string, texts *[]string) []uuid.UUID {
	if texts == nil {
		return nil
	}
	return f.ids(name, *texts)
}

// date returns nil for an absent member and "" for null.
func (f *fields) date(name string, value nullable.Nullable[string]) *task.Date {
	if !value.IsSpecified() {
		return nil
	}
	var d task.Date
	if !value.IsNull() {
		text := value.MustGet()
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			f.faultf(name, "must be a date such as 2026-12-01, or null")
		}
		d = task.Date(text)
	}
	return &d
}

// number returns nil for an absent member and a pointer to nil for null.
func number(value nullable.Nullable[float64]) **float64 {
	if !value.IsSpecified() {
		return nil
	}
	var n *float64
	if !value.IsNull() {
		v := value.MustGet()
		n = &v
	}
	return &n
}

// text returns nil for an absent member and "" for null.
func text(value nullable.Nullable[string]) *string {
	if !value.IsSpecified() {
		return nil
	}
	var s string
	if !value.IsNull() {
		s = value.MustGet()
	}
	return &s
}

// limitOf returns the WIP limit as the domain takes it: nil for absent, a pointer to nil for null.
func limitOf(value nullable.Nullable[int]) **int {
	if !value.IsSpecified() {
		return nil
	}
	var n *int
	if !value.IsNull() {
		v := value.MustGet()
		n = &v
	}
	return &n
}

// or returns the value behind p, or fallback without one.
func or[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}
