// Package api holds the description of task-service's HTTP API, the truth from which the handlers' interface and types,
// the documentation page and the types of the browser UI are made.
package api

import _ "embed"

// Spec is openapi.yaml: OpenAPI 3.0, UTF-8.
//
//go:embed openapi.yaml
var Spec []byte

//go:generate env GOWORK=off go tool -modfile=../../internal/tools/go.mod oapi-codegen -config oapi-codegen.yaml openapi.yaml
