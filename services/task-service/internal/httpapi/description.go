package httpapi

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/tallyboard/tallyboard/services/task-service/api"
)

// mimeYAML is the media type of the description (RFC 9512).
const mimeYAML = "application/yaml"

// description is api/openapi.yaml as read at start.
type description struct {
	source []byte
	doc    *openapi3.T
	checks map[string]queryCheck
}

func loadDescription() (*description, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	d := &description{source: api.Spec, doc: doc, checks: map[string]queryCheck{}}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			d.checks[method+" "+fiberPath(path)] = newQueryCheck(item, op)
		}
	}
	return d, nil
}

// fiberPath writes /tasks/{ref} as /tasks/:ref.
func fiberPath(path string) string {
	return strings.ReplaceAll(strings.ReplaceAll(path, "{", ":"), "}", "")
}
