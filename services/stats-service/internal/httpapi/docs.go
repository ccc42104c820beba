package httpapi

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/stats-service/api"
)

//go:embed docs.html
var docsTemplate string

//go:embed docs.css
var docsStyle string

// pages are the description of the API and a page to read it, made once.
type pages struct {
	html   []byte
	policy string
}

// docsOperation is one request as the page shows it.
type docsOperation struct {
	ID, Method, Path, Summary, Description, Answer string
	Parameters                                     []docsField
}

// docsSchema is one object as the page shows it.
type docsSchema struct {
	Name, Description string
	Fields            []docsField
}

type docsField struct{ Name, Type, Description string }

func newPages() (*pages, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	if err != nil {
		return nil, fmt.Errorf("read the API's description: %w", err)
	}
	page, err := template.New("docs").Parse(docsTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse the documentation's template: %w", err)
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{
		"Title": doc.Info.Title, "Version": doc.Info.Version, "Intro": strings.Split(strings.TrimSpace(doc.Info.Description), "\n\n"),
		"Style": template.CSS(docsStyle), "Operations": docsOperations(doc), "Schemas": docsSchemas(doc), //nolint:gosec // our own file
	})
	if err != nil {
		return nil, fmt.Errorf("render the documentation: %w", err)
	}
	sum := sha256.Sum256([]byte(docsStyle))
	return &pages{html: out.Bytes(), policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}, nil
}

func docsOperations(doc *openapi3.T) []docsOperation {
	var out []docsOperation
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			o := docsOperation{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description}
			for _, p := range op.Parameters {
				o.Parameters = append(o.Parameters, docsField{p.Value.Name + " (" + p.Value.In + ")", typeOf(p.Value.Schema), p.Value.Description})
			}
			if ok := op.Responses.Status(http.StatusOK); ok != nil {
				if content := ok.Value.Content.Get(fiber.MIMEApplicationJSON); content != nil {
					o.Answer = typeOf(content.Schema)
				}
			}
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b docsOperation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return out
}

func docsSchemas(doc *openapi3.T) []docsSchema {
	var out []docsSchema
	for name, ref := range doc.Components.Schemas {
		s := docsSchema{Name: name, Description: ref.Value.Description}
		for member, p := range ref.Value.Properties {
			s.Fields = append(s.Fields, docsField{member, typeOf(p), p.Value.Description})
		}
		slices.SortFunc(s.Fields, func(a, b docsField) int { return cmp.Compare(a.Name, b.Name) })
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b docsSchema) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// typeOf says in a word or two which values a schema allows.
func typeOf(ref *openapi3.SchemaRef) string {
	if ref == nil || ref.Value == nil {
		return ""
	}
	if ref.Ref != "" {
		return strings.TrimPrefix(ref.Ref, "#/components/schemas/")
	}
	s := ref.Value
	text := "object"
	switch {
	case s.Type.Is(openapi3.TypeArray):
		text = "array of " + typeOf(s.Items)
	case len(s.Enum) > 0:
		values := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			values[i] = fmt.Sprint(v)
		}
		text = strings.Join(values, " | ")
	case s.Type != nil && len(*s.Type) > 0:
		text = (*s.Type)[0]
		if s.Format != "" {
			text += " (" + s.Format + ")"
		}
	}
	if s.Nullable {
		text += " | null"
	}
	return text
}

func (p *pages) spec(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/yaml; charset=utf-8")
	return c.Send(api.Spec)
}

func (p *pages) docs(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentSecurityPolicy, p.policy)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(p.html)
}
