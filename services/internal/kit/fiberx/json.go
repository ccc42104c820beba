package fiberx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// bodyField is the name under which errors about the body as a whole are reported.
const bodyField = "body"

// DecodeJSON reads the request's body into v, a pointer. It accepts exactly one JSON value in valid UTF-8 and refuses
// what a lenient decoder would let pass: unknown and repeated members, members of the wrong type, anything after the
// value, U+0000 and lone surrogates in strings, nesting beyond 64 levels, compressed bodies, and every Content-Type but
// application/json and …+json. Errors are *apperr.Error: UnsupportedMedia, or Invalid with the member's name in Fields.
func DecodeJSON(c *fiber.Ctx, v any) error {
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return err
	}
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return apperr.New(apperr.UnsupportedMedia, "Request bodies must not be compressed (Content-Encoding).")
	}
	if err := decodeStrict(c.Request().Body(), v); err != nil {
		return err
	}
	return nil
}

func requireJSON(contentType string) error {
	mediaType, params, err := mime.ParseMediaType(contentType)
	subtypeJSON := strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
	if err != nil || (mediaType != fiber.MIMEApplicationJSON && !subtypeJSON) {
		return apperr.New(apperr.UnsupportedMedia, "The body must be JSON, with Content-Type: application/json.")
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return apperr.New(apperr.UnsupportedMedia, "The body must be encoded in UTF-8.")
	}
	return nil
}

// bodyError is what generated wrappers get from BodyParser. They keep its text only, so it has the shape "name: message"
// that ErrorHandler takes apart again.
type bodyError struct {
	text  string
	empty bool
}

func (e *bodyError) Error() string { return e.text }

// Is lets wrappers recognise a missing optional body as io.EOF.
func (e *bodyError) Is(target error) bool { return e.empty && target == io.EOF }

func decodeForBodyParser(data []byte, v any) error {
	if err := decodeStrict(data, v); err != nil {
		text := err.Message
		if len(err.Fields) == 1 {
			text = err.Fields[0].Name + ": " + err.Fields[0].Message
		}
		return &bodyError{text: text, empty: len(bytes.TrimSpace(data)) == 0}
	}
	return nil
}

func decodeStrict(data []byte, v any) *apperr.Error {
	if len(bytes.TrimSpace(data)) == 0 {
		return apperr.InvalidField(bodyField, "is empty, JSON is expected")
	}
	if !utf8.Valid(data) {
		return apperr.InvalidField(bodyField, "is not valid UTF-8").At(invalidUTF8At(data))
	}
	if err := checkStructure(data); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return explain(err, data, v)
	}
	if rest := bytes.TrimLeft(data[dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return apperr.InvalidField(bodyField, "must be a single JSON value, but more follows it").At(len(data) - len(rest))
	}
	return nil
}

func invalidUTF8At(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return len(data)
}

// explain says in plain words what encoding/json disliked, and about which member.
func explain(err error, data []byte, v any) *apperr.Error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return apperr.InvalidField(bodyField, "is not valid JSON: %s", syntax.Error()).At(max(0, int(syntax.Offset)-1))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return apperr.InvalidField(bodyField, "is not valid JSON: it ends too early").At(len(data))
	}
	if name, ok := unknownField(err); ok {
		return apperr.InvalidField(name, "unknown field %q", name)
	}
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		name := wrongType.Field
		if name == "" {
			name = culprit(data, v)
		}
		return apperr.InvalidField(name, "%s", typeMessage(wrongType))
	}
	return apperr.InvalidField(culprit(data, v), "%s", valueMessage(err))
}

// unknownField takes the name out of the only error of encoding/json that has no type of its own.
func unknownField(err error) (string, bool) {
	quoted, ok := strings.CutPrefix(err.Error(), "json: unknown field ")
	if !ok {
		return "", false
	}
	return strings.Trim(quoted, `"`), true
}

func typeMessage(e *json.UnmarshalTypeError) string {
	got := e.Value
	if number, ok := strings.CutPrefix(e.Value, "number "); ok {
		if isInteger(e.Type.Kind()) && strings.ContainsAny(number, ".eE") {
			return fmt.Sprintf("must be a whole number, not %s", number)
		}
		return fmt.Sprintf("%s is out of range", number)
	}
	if got == "bool" {
		got = "true or false"
	}
	return fmt.Sprintf("must be %s, not %s", expectation(e.Type), withArticle(got))
}

func isInteger(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Uintptr }

// expectation names a Go type as a caller of the API knows it.
func expectation(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Time]() {
		return "a date and time such as 2026-03-31T09:30:00Z"
	}
	switch k := t.Kind(); {
	case k == reflect.String:
		return "a string"
	case k == reflect.Bool:
		return "true or false"
	case isInteger(k):
		return "a whole number"
	case k == reflect.Float32 || k == reflect.Float64:
		return "a number"
	case k == reflect.Slice || k == reflect.Array:
		if strings.HasSuffix(t.Name(), "UUID") {
			return "a UUID"
		}
		return "an array"
	}
	if strings.HasSuffix(t.Name(), "Date") {
		return "a date such as 2026-03-31"
	}
	return "an object"
}

func withArticle(value string) string {
	switch value {
	case "string", "number":
		return "a " + value
	case "array", "object":
		return "an " + value
	}
	return value
}

// valueMessage explains an error of a type that decodes itself, such as a date or a UUID, without Go's own words.
func valueMessage(err error) string {
	var when *time.ParseError
	switch text := strings.ToLower(err.Error()); {
	case errors.As(err, &when) && when.Layout == time.DateOnly:
		return "must be a date such as 2026-03-31"
	case errors.As(err, &when), strings.Contains(text, "time.unmarshaljson"):
		return "must be a date and time such as 2026-03-31T09:30:00Z"
	case strings.Contains(text, "uuid"):
		return "must be a UUID"
	}
	return "has the wrong format"
}

// culprit finds the member of the outermost object that makes decoding fail, by decoding each alone into a fresh value
// of v's type. It runs only when the error itself does not name the member.
func culprit(data []byte, v any) string {
	var members map[string]json.RawMessage
	t := reflect.TypeOf(v)
	if t.Kind() != reflect.Pointer || json.Unmarshal(data, &members) != nil {
		return bodyField
	}
	for name, raw := range members {
		key, err := json.Marshal(name)
		if err != nil {
			continue
		}
		alone := bytes.Join([][]byte{[]byte("{"), key, []byte(":"), raw, []byte("}")}, nil)
		if json.Unmarshal(alone, reflect.New(t.Elem()).Interface()) != nil {
			return name
		}
	}
	return bodyField
}
