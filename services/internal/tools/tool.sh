#!/usr/bin/env bash
# tool.sh NAME prints the path of a tool pinned by the go.mod files here, building it first if this version was not
# built before. Each module of tools lists its own with Go's tool directive:
#
#   tools       sqlc, oapi-codegen, protoc-gen-go, goose, actionlint
#   tools/buf   buf, whose protobuf is ahead of what generated code should use
#   tools/lint  golangci-lint, whose dependencies fit nobody else's
#
# Binaries are kept per content of go.mod and go.sum and per Go version in TALLYBOARD_CACHE (~/.cache/tallyboard):
# `go tool` would link them again and again. They are built without cgo, so no C compiler is needed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=${1:?usage: tool.sh NAME}
command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or later (https://go.dev/dl/)" >&2; exit 1; }

module='' package=''
for dir in "$here" "$here"/*/; do
  [ -f "$dir/go.mod" ] || continue
  package=$(sed -nE 's/^(tool)?[[:space:]]+([^[:space:]]+)$/\2/p' "$dir/go.mod" | grep -E "/$name(/v[0-9]+)?\$" | head -n 1 || true)
  [ -z "$package" ] || { module=${dir%/}; break; }
done
[ -n "$module" ] || { echo "no tool called $name in $here" >&2; exit 1; }

cache=${TALLYBOARD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tallyboard}/tools
key=$({ cat "$module/go.mod" "$module/go.sum"; go env GOVERSION GOOS GOARCH; } | cksum | cut -d ' ' -f 1)
binary=$cache/$key/$name
if [ ! -x "$binary" ]; then
  mkdir -p "$cache/$key"
  exec 9>"$cache/$key/$name.lock"
  ! command -v flock >/dev/null || flock 9
  if [ ! -x "$binary" ]; then
    echo "[tools] building $name (once)" >&2
    (cd "$module" && GOWORK=off GOFLAGS='' CGO_ENABLED=0 nice go build -o "$binary.new" "$package")
    mv "$binary.new" "$binary"
  fi
fi
echo "$binary"
