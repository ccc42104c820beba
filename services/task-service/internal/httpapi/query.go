package httpapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// queryCheck knows the query parameters of one operation. A misspelt filter must not silently list everything, so
// unknown and repeated parameters are refused, and values are checked before the generated code binds them, which says
// only that something was wrong.
type queryCheck struct {
	params   map[string]*openapi3.Parameter
	names    string // for messages
	required []string
}

func newQueryCheck(path *openapi3.PathItem, op *openapi3.Operation) queryCheck {
	check := queryCheck{params: map[string]*openapi3.Parameter{}}
	for _, ref := range slices.Concat(path.Parameters, op.Parameters) {
		if p := ref.Value; p.In == openapi3.ParameterInQuery {
			check.params[p.Name] = p
			if p.Required {
				check.required = append(check.required, p.Name)
			}
		}
	}
	names := make([]string, 0, len(check.params))
	for name := range check.params {
		names = append(names, name)
	}
	slices.Sort(names)
	check.names = strings.Join(names, ", ")
	return check
}

// handle refuses a request whose query does not fit.
func (q queryCheck) handle(c *fiber.Ctx) error {
	raw := c.Request().URI().QueryString()
	if len(raw) == 0 && len(q.required) == 0 {
		return nil
	}
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return apperr.New(apperr.Invalid, "The query string is not well formed.")
	}
	var faults []apperr.Field
	for name, given := range values {
		if message := q.fault(name, given); message != "" {
			faults = append(faults, apperr.Field{Name: name, Message: message})
		}
	}
	for _, name := range q.required {
		if _, given := values[name]; !given {
			faults = append(faults, apperr.Field{Name: name, Message: "is required"})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	slices.SortFunc(faults, func(a, b apperr.Field) int { return strings.Compare(a.Name, b.Name) })
	return apperr.InvalidFields(faults...)
}

func (q queryCheck) fault(name string, given []string) string {
	p, known := q.params[name]
	switch {
	case !utf8.ValidString(name) || !utf8.ValidString(strings.Join(given, "")):
		return "must be valid UTF-8"
	case !known && q.names == "":
		return "is not a parameter of this resource, which takes none"
	case !known:
		return "is not a parameter of this resource; it takes " + q.names
	case len(given) > 1:
		return "may be given only once"
	}
	return valueFault(p.Schema.Value, given[0])
}

// valueFault says what is wrong with a value under a schema of simple type, or "".
func valueFault(schema *openapi3.Schema, value string) string {
	switch {
	case schema.Type.Is(openapi3.TypeBoolean):
		if value != "true" && value != "false" {
			return "must be true or false"
		}
	case schema.Type.Is(openapi3.TypeInteger):
		return integerFault(schema, value)
	default:
		length := uint64(utf8.RuneCountInString(value))
		if length < schema.MinLength {
			return "must not be empty"
		}
		if schema.MaxLength != nil && length > *schema.MaxLength {
			return fmt.Sprintf("must be at most %d characters", *schema.MaxLength)
		}
		if len(schema.Enum) > 0 && !slices.Contains(schema.Enum, any(value)) {
			return "must be one of " + enumeration(schema.Enum)
		}
	}
	return ""
}

func integerFault(schema *openapi3.Schema, value string) string {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || strings.HasPrefix(value, "+") {
		return "must be a whole number"
	}
	if schema.Min != nil && float64(n) < *schema.Min || schema.Max != nil && float64(n) > *schema.Max {
		if schema.Max == nil {
			return fmt.Sprintf("must be at least %.0f", *schema.Min)
		}
		return fmt.Sprintf("must be from %.0f to %.0f", *schema.Min, *schema.Max)
	}
	return ""
}

func enumeration(values []any) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = fmt.Sprint(v)
	}
	return strings.Join(names, ", ")
}

// checkedRouter puts the query check of an operation in front of its handler while the generated code registers it.
type checkedRouter struct {
	fiber.Router
	checks map[string]queryCheck // by method and path in Fiber's notation
}

func (r checkedRouter) with(method, path string, handlers []fiber.Handler) []fiber.Handler {
	check, described := r.checks[method+" "+path]
	if !described || len(handlers) != 1 {
		panic("httpapi: " + method + " " + path + " is not in openapi.yaml; generate again") // only at start
	}
	handler := handlers[0]
	return []fiber.Handler{func(c *fiber.Ctx) error {
		if err := check.handle(c); err != nil {
			return err
		}
		return handler(c)
	}}
}

// Get, Post, Put, Patch and Delete are what the generated code registers with.

func (r checkedRouter) Get(path string, h ...fiber.Handler) fiber.Router {
	return r.Router.Get(path, r.with(fiber.MethodGet, path, h)...)
}

func (r checkedRouter) Post(path string, h ...fiber.Handler) fiber.Router {
	return r.Router.Post(path, r.with(fiber.MethodPost, path, h)...)
}

func (r checkedRouter) Put(path string, h ...fiber.Handler) fiber.Router {
	return r.Router.Put(path, r.with(fiber.MethodPut, path, h)...)
}

func (r checkedRouter) Patch(path string, h ...fiber.Handler) fiber.Router {
	return r.Router.Patch(path, r.with(fiber.MethodPatch, path, h)...)
}

func (r checkedRouter) Delete(path string, h ...fiber.Handler) fiber.Router {
	return r.Router.Delete(path, r.with(fiber.MethodDelete, path, h)...)
}
