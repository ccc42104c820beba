#!/usr/bin/env bash
# generate.sh writes all generated code again: protobuf by buf, SQL by sqlc, HTTP by oapi-codegen, the UI's API types,
# Grafana's dashboards.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
step() { printf '[generate] %s\n' "$*" >&2; }

step "proto: buf generate"
buf=$("$here/tool.sh" buf)
plugins=$(dirname "$("$here/tool.sh" protoc-gen-go)")
rm -rf proto/gen # buf leaves files alone that are as they would be, and verify.sh looks for those nobody writes
(cd proto && PATH=$plugins:$PATH "$buf" generate)

sqlc=$("$here/tool.sh" sqlc)
while IFS= read -r config; do
  step "$config"
  (cd "$(dirname "$config")" && "$sqlc" generate -f "$(basename "$config")")
done < <(find services -name node_modules -prune -o -name sqlc.yaml -print | sort)

oapi=$("$here/tool.sh" oapi-codegen)
while IFS= read -r config; do
  step "$config"
  (cd "$(dirname "$config")" && "$oapi" -config "$(basename "$config")" openapi.yaml)
done < <(find services -name node_modules -prune -o -path '*/api/oapi-codegen*.yaml' -print | sort)

if [ -n "$(cd services/web && npm pkg get scripts.generate 2>/dev/null | tr -d '{}')" ]; then
  step "services/web: npm run generate"
  make ui-deps
  (cd services/web && npm run --silent generate)
fi

step "deploy/grafana: dashboards"
make dashboard-deps
(cd deploy/grafana && npm run --silent generate)

step "docs/configuration.md"
mkdir -p bin
(cd services/internal/tools && GOWORK=off go build -o "$OLDPWD/bin/configdoc" ./configdoc)
bin/configdoc
