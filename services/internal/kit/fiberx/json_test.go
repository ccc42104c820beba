package fiberx

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

type payload struct {
	Title    string                       `json:"title"`
	Priority *int8                        `json:"priority,omitempty"`
	Estimate *float64                     `json:"estimate,omitempty"`
	Done     bool                         `json:"done"`
	Due      *time.Time                   `json:"due,omitempty"`
	ID       *uuid.UUID                   `json:"id,omitempty"`
	Labels   []string                     `json:"labels,omitempty"`
	Parent   nullable.Nullable[uuid.UUID] `json:"parent,omitempty"`
	Start    nullable.Nullable[string]    `json:"start,omitempty"`
	Inner    *struct {
		Count int `json:"count"`
	} `json:"inner,omitempty"`
}

func TestDecodeJSONSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	many := strings.Repeat(`"k":1,`, 0)
	for i := range 20 {
		many += `"k` + string(rune('a'+i)) + `":1,`
	}
	for name, c := range map[string]struct {
		body, field, message string
		position             int // -1: none
	}{
		"unknown field":       {`{"titel":"x"}`, "titel", `unknown field "titel"`, -1},
		"string wanted":       {`{"title":5}`, "title", "must be a string, not a number", -1},
		"bool wanted":         {`{"done":"yes"}`, "done", "must be true or false, not a string", -1},
		"bool given":          {`{"title":true}`, "title", "must be a string, not true or false", -1},
		"number wanted":       {`{"estimate":"1"}`, "estimate", "must be a number, not a string", -1},
		"whole number":        {`{"priority":1.5}`, "priority", "must be a whole number, not 1.5", -1},
		"out of range":        {`{"priority":300}`, "priority", "300 is out of range", -1},
		"array wanted":        {`{"labels":"a"}`, "labels", "must be an array, not a string", -1},
		"array element":       {`{"labels":["a",7]}`, "labels", "must be a string, not a number", -1},
		"nested":              {`{"inner":{"count":"x"}}`, "inner.count", "must be a whole number, not a string", -1},
		"object wanted":       {`{"inner":[1]}`, "inner", "must be an object, not an array", -1},
		"date":                {`{"due":"tomorrow"}`, "due", "must be a date and time such as 2026-03-31T09:30:00Z", -1},
		"date number":         {`{"due":5}`, "due", "must be a date and time such as 2026-03-31T09:30:00Z", -1},
		"uuid":                {`{"id":"x"}`, "id", "must be a UUID", -1},
		"nullable uuid":       {`{"title":"a","parent":"x"}`, "parent", "must be a UUID", -1},
		"nullable type":       {`{"title":"a","start":7}`, "start", "must be a string, not a number", -1},
		"array for object":    {`[]`, "body", "must be an object, not an array", -1},
		"empty":               {``, "body", "is empty, JSON is expected", -1},
		"blank":               {" \n", "body", "is empty, JSON is expected", -1},
		"trailing":            {`{"title":"a"} {}`, "body", "must be a single JSON value, but more follows it", 14},
		"trailing junk":       {`{"title":"a"}x`, "body", "must be a single JSON value, but more follows it", 13},
		"syntax":              {`{"title":}`, "body", "is not valid JSON: invalid character '}' looking for beginning of value", 9},
		"cut off":             {`{"title":"a`, "body", "is not valid JSON: it ends too early", 11},
		"bad utf-8":           {"{\"title\":\"a\xff\"}", "body", "is not valid UTF-8", 11},
		"repeated":            {`{"title":"a","title":"b"}`, "title", "is given twice", 13},
		"repeated, escaped":   {`{"title":"a","t\u0069tle":"b"}`, "title", "is given twice", 13},
		"repeated below":      {`{"inner":{"count":1,"count":2}}`, "count", "is given twice", 20},
		"repeated among many": {`{` + many + `"ka":2}`, "ka", "is given twice", 141},
		"nul":                 {`{"title":"a\u0000b"}`, "body", "must not contain the character U+0000", 11},
		"lone high surrogate": {`{"title":"\ud83d!"}`, "body", "contains half of a surrogate pair", 10},
		"lone low surrogate":  {`{"title":"\ude00"}`, "body", "contains half of a surrogate pair", 10},
		"deep":                {deep, "body", "is nested deeper than 64 levels", 64},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, log := newApp(Config{})
			app.Post("/", func(c *fiber.Ctx) error {
				var p payload
				if err := DecodeJSON(c, &p); err != nil {
					return err
				}
				return c.SendStatus(http.StatusNoContent)
			})
			a := send(t, app, http.MethodPost, "/", c.body, "Content-Type", "application/json; charset=utf-8")
			if a.StatusCode != http.StatusBadRequest || len(a.problem.Errors) != 1 {
				t.Fatalf("got %d %s", a.StatusCode, a.body)
			}
			f := a.problem.Errors[0]
			if f.Name != c.field || f.Message != c.message {
				t.Errorf("got %s: %s", f.Name, f.Message)
			}
			if position := f.Position; (position == nil) != (c.position < 0) || position != nil && *position != c.position {
				t.Errorf("position %v", a.body)
			}
			for _, line := range log.lines(t, "request failed") {
				if line["level"] != "DEBUG" {
					t.Errorf("logged at %v", line["level"])
				}
			}
		})
	}
}

func TestDecodeJSONAcceptsGoodBodies(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, ` {"title":"a \"quoted\" \\ \u00e9 \ud83d\ude00 { [ , :"} ` + "\n", `{"labels":["a","a"],"inner":{"count":1},"start":null}`,
		`{"due":"2026-03-31T09:30:00Z","priority":-128,"id":"0192d3a8-7c1f-7b3e-8000-000000000000"}`,
	} {
		var p payload
		if err := decodeStrict([]byte(body), &p); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestDecodeJSONWantsJSON(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{})
	app.Post("/", func(c *fiber.Ctx) error {
		var p payload
		return DecodeJSON(c, &p)
	})
	for contentType, want := range map[string]int{
		"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/json; charset=latin1": 415, "nonsense;;": 415,
		"application/json": 200, "Application/JSON; Charset=UTF-8": 200, "application/merge-patch+json": 200,
	} {
		if a := send(t, app, http.MethodPost, "/", `{}`, "Content-Type", contentType); a.StatusCode != want {
			t.Errorf("%q: %d %s", contentType, a.StatusCode, a.body)
		}
	}
	a := send(t, app, http.MethodPost, "/", `{}`, "Content-Type", "application/json", "Content-Encoding", "gzip")
	if a.StatusCode != http.StatusUnsupportedMediaType || a.problem.Code != string(apperr.UnsupportedMedia) {
		t.Errorf("compressed: %d %s", a.StatusCode, a.body)
	}
}

func TestBodyParserIsStrictThroughGeneratedWrappers(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{})
	app.Post("/", func(c *fiber.Ctx) error {
		var p payload
		if err := c.BodyParser(&p); err != nil {
			if errors.Is(err, io.EOF) {
				return c.SendStatus(http.StatusAccepted) // the wrapper's way with an optional body
			}
			return fiber.NewError(fiber.StatusBadRequest, err.Error())
		}
		return c.SendStatus(http.StatusNoContent)
	})
	a := send(t, app, http.MethodPost, "/", `{"titel":1}`, "Content-Type", "application/json")
	if a.StatusCode != http.StatusBadRequest || len(a.problem.Errors) != 1 || a.problem.Errors[0].Name != "titel" {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
	if a := send(t, app, http.MethodPost, "/", "", "Content-Type", "application/json"); a.StatusCode != http.StatusAccepted {
		t.Errorf("empty body: %d %s", a.StatusCode, a.body)
	}
}

func FuzzDecodeStrict(f *testing.F) {
	for _, seed := range []string{`{"title":"a"}`, `{"titel":1}`, `{"a":{"b":[1,2,{"c":null}]}}`, `{"t":"\ud83d\ude00\u0000"}`, `[[[`, "\xff", `{"due":"x"}x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p payload
		err := decodeStrict(data, &p)
		if err == nil {
			return
		}
		if err.Code != apperr.Invalid || len(err.Fields) != 1 || err.Fields[0].Message == "" {
			t.Errorf("%q: %+v", data, err)
		}
		if at := err.Fields[0].Position; at != nil && (*at < 0 || *at > len(data)) {
			t.Errorf("%q: position %d", data, *at)
		}
	})
}
