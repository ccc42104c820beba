// Package wire holds what oapi-codegen makes of api/openapi.yaml: the JSON types, the parameters and the interface that
// package httpapi implements. It is generated and committed; `make verify` shows drift.
package wire
