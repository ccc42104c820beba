package httpapi

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

// Whatever the query says, it is either refused by name or has known parameters, each given once.
func FuzzQueryCheck(f *testing.F) {
	d, err := loadDescription()
	if err != nil {
		f.Fatal(err)
	}
	check := d.checks["GET /api/v1/projects/:key/tasks"]
	for _, q := range []string{"", "filter=a", "limit=5&limit=6", "fliter=x", "%zz", "a;b", "limit=-0", "trashed=true&sort=-due", "filter=%ff"} {
		f.Add(q)
	}
	app := fiber.New()
	f.Fuzz(func(t *testing.T, query string) {
		c := app.AcquireCtx(&fasthttp.RequestCtx{})
		defer app.ReleaseCtx(c)
		c.Request().URI().SetQueryString(query)
		if err := check.handle(c); err != nil {
			if !apperr.Is(err, apperr.Invalid) {
				t.Fatalf("%q: %v", query, err)
			}
			return
		}
		values, err := url.ParseQuery(string(c.Request().URI().QueryString()))
		if err != nil {
			t.Fatalf("%q is accepted: %v", query, err)
		}
		for name, given := range values {
			if p := check.params[name]; p == nil || p.In != openapi3.ParameterInQuery || len(given) != 1 {
				t.Fatalf("%q is accepted with %s = %q", query, name, given)
			}
		}
	})
}

// Whatever a body says, decoding and translating it ends in a value or in an error of the caller's.
func FuzzTaskPatch(f *testing.F) {
	for _, body := range []string{
		`{"title":"x"}`, `{"due":null}`, `{"labels":[null]}`, `{"estimate":1e400}`, `{"assignees":["x"]}`, `null`, `{"due":"2026-02-30"}`, "{\"title\":\"\\u0000\"}",
	} {
		f.Add([]byte(body))
	}
	app := fiber.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		c := app.AcquireCtx(&fasthttp.RequestCtx{})
		defer app.ReleaseCtx(c)
		c.Request().Header.SetContentType("application/json")
		c.Request().SetBody(body)
		patch, err := decodePatch[wire.TaskPatch](c)
		if err == nil {
			_, err = taskPatch(patch)
		}
		if code := apperr.CodeOf(err); err != nil && code != apperr.Invalid && code != apperr.UnsupportedMedia {
			t.Fatalf("%q: %v", body, err)
		}
		if err == nil && forbiddenNull(body, reflect.TypeFor[wire.TaskPatch](), "") != "" {
			t.Fatalf("%q is accepted with a null", body)
		}
	})
}
