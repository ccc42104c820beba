// Package api holds the OpenAPI description of stats-service, which is the truth about its routes.
package api

import _ "embed"

// Spec is openapi.yaml.
//
//go:embed openapi.yaml
var Spec []byte
