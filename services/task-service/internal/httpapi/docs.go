package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
)

//go:embed docs.html
var docsTemplate string

//go:embed docs.css
var docsStyle string

// docsPath is where the page is served.
const docsPath = "/api/docs"

// docsView is what the template shows.
type docsView struct {
	Title, Version string
	Intro          template.HTML
	Style          template.CSS
	Groups         []docsGroup
	Schemas        []docsSchema
	Problems       []docsProblem
}

type docsGroup struct {
	Name, Anchor, Description string
	Operations                []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary string
	Description               template.HTML
	Parameters                []docsField
	Bodies                    []docsContent
	Responses                 []docsResponse
}

// docsField is a parameter or a member of an object.
type docsField struct {
	Name, Place string
	Required    bool
	Type        template.HTML
	Description template.HTML
}

type docsContent struct {
	MediaType string
	Type      template.HTML
	Example   string
}

type docsResponse struct {
	Status      string
	Description template.HTML
	Headers     []string
	Contents    []docsContent
}

type docsSchema struct {
	Name        string
	Description template.HTML
	Type        template.HTML
	Members     []docsField
	Example     string
}

type docsProblem struct {
	Code   apperr.Code
	Status int
	Title  string
}

// page returns a function that renders the documentation once, when somebody asks for it first.
func (d *description) page() func() (staticFile, error) {
	return sync.OnceValues(func() (staticFile, error) {
		page, err := template.New("docs").Parse(docsTemplate)
		if err != nil {
			return staticFile{}, fmt.Errorf("parse the template of the documentation: %w", err)
		}
		var out bytes.Buffer
		if err := page.Execute(&out, d.view()); err != nil {
			return staticFile{}, fmt.Errorf("render the documentation: %w", err)
		}
		file := newStaticFile(types[".html"], out.Bytes())
		if file.gzip, err = compress(out.Bytes()); err != nil {
			return staticFile{}, err
		}
		sum := sha256.Sum256([]byte(docsStyle))
		file.policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		return file, nil
	})
}

func (d *description) view() docsView {
	v := docsView{
		Title: d.doc.Info.Title, Version: d.doc.Info.Version, Intro: markdown(d.doc.Info.Description),
		Style: template.CSS(docsStyle), //nolint:gosec // our own file
	}
	for _, tag := range d.doc.Tags {
		group := docsGroup{Name: tag.Name, Anchor: anchor(tag.Name), Description: tag.Description}
		for _, path := range d.paths() {
			item := d.doc.Paths.Value(path)
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				if op := item.GetOperation(method); op != nil && slices.Contains(op.Tags, tag.Name) {
					group.Operations = append(group.Operations, operationView(method, path, item, op))
				}
			}
		}
		v.Groups = append(v.Groups, group)
	}
	for _, name := range sortedKeys(d.doc.Components.Schemas) {
		v.Schemas = append(v.Schemas, schemaView(name, d.doc.Components.Schemas[name].Value))
	}
	for _, code := range problemCodes {
		status := fiberx.StatusOf(code)
		v.Problems = append(v.Problems, docsProblem{Code: code, Status: status, Title: http.StatusText(status)})
	}
	return v
}

// problemCodes are the kinds of problems an answer can name.
var problemCodes = []apperr.Code{
	apperr.Invalid, apperr.Unauthenticated, apperr.Forbidden, apperr.NotFound, apperr.MethodNotAllowed, apperr.Conflict,
	apperr.Gone, apperr.Stale, apperr.TooLarge, apperr.UnsupportedMedia, apperr.Unprocessable, apperr.PreconditionRequired,
	apperr.RateLimited, apperr.HeadersTooLarge, apperr.Internal, apperr.Unavailable, apperr.Timeout,
}

// explainProblem leads from the type of a problem document to its place in the documentation.
func explainProblem(c *fiber.Ctx, code string) error {
	if !slices.Contains(problemCodes, apperr.Code(code)) {
		return fiber.ErrNotFound
	}
	return c.Redirect(docsPath+"#problem-"+url.PathEscape(code), fiber.StatusFound)
}

func (d *description) paths() []string { return sortedKeys(d.doc.Paths.Map()) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func operationView(method, path string, item *openapi3.PathItem, op *openapi3.Operation) docsOperation {
	v := docsOperation{
		ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: markdown(op.Description),
	}
	for _, ref := range slices.Concat(item.Parameters, op.Parameters) {
		p := ref.Value
		v.Parameters = append(v.Parameters, docsField{
			Name: p.Name, Place: p.In, Required: p.Required, Type: typeView(p.Schema), Description: markdown(p.Description),
		})
	}
	if op.RequestBody != nil {
		v.Bodies = contentViews(op.RequestBody.Value.Content)
	}
	for _, status := range sortedKeys(op.Responses.Map()) {
		r := op.Responses.Value(status).Value
		v.Responses = append(v.Responses, docsResponse{
			Status: status, Description: markdown(or(r.Description, "")), Headers: sortedKeys(r.Headers), Contents: contentViews(r.Content),
		})
	}
	return v
}

func contentViews(content openapi3.Content) []docsContent {
	var views []docsContent
	for _, mediaType := range sortedKeys(content) {
		media := content[mediaType]
		v := docsContent{MediaType: mediaType, Type: typeView(media.Schema), Example: exampleText(media.Example)}
		if v.Example == "" && media.Schema != nil && mediaType != fiberx.MIMEProblem {
			v.Example = exampleText(media.Schema.Value.Example)
		}
		views = append(views, v)
	}
	return views
}

func schemaView(name string, schema *openapi3.Schema) docsSchema {
	v := docsSchema{
		Name: name, Description: markdown(schema.Description), Example: exampleText(schema.Example),
		Type: typeView(&openapi3.SchemaRef{Value: schema}),
	}
	for _, member := range sortedKeys(schema.Properties) {
		ref := schema.Properties[member]
		v.Members = append(v.Members, docsField{
			Name: member, Required: slices.Contains(schema.Required, member), Type: typeView(ref),
			Description: markdown(ref.Value.Description),
		})
	}
	return v
}

func anchor(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), " ", "-")
}

// GetDocs answers with the documentation page.
func (s *server) GetDocs(c *fiber.Ctx) error {
	page, err := s.docs()
	if err != nil {
		return err
	}
	return page.send(c)
}

// GetSpec answers with the description itself.
func (s *server) GetSpec(c *fiber.Ctx) error { return s.spec.send(c) }
