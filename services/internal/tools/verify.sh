#!/usr/bin/env bash
# verify.sh fails unless what is written down is current and every module stands alone: generated code is what the
# generators write, no generated file is left over or uncommitted, go.mod and go.sum are tidy, each module builds and
# vets without the workspace, and the protobuf schema does not break its readers.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
failed=0
step() { printf '[verify] %s\n' "$*" >&2; }
fail() { printf '[verify] FAILED: %s\n' "$*" >&2; failed=1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# fingerprint: one line per file git knows or would offer to add.
fingerprint() { git ls-files -co --exclude-standard | sort | while IFS= read -r f; do [ ! -f "$f" ] || cksum "$f"; done; }
generated() { git ls-files -co --exclude-standard -- '*.go' '*.ts' | xargs grep -lE '^// Code generated .* DO NOT EDIT\.?$' 2>/dev/null || true; }

step "generated code"
fingerprint >"$tmp/before"
touch "$tmp/started"
"$here/generate.sh"
fingerprint >"$tmp/after"
diff "$tmp/before" "$tmp/after" >"$tmp/drift" || fail "generated code was not current; make generate has just renewed it:
$(sed -nE 's/^[<>] [0-9]+ [0-9]+ /  /p' "$tmp/drift" | sort -u)"
while IFS= read -r file; do
  [ -z "$(find "$file" -newer "$tmp/started")" ] && fail "$file says it is generated, but no generator writes it any more; remove it"
  git ls-files --error-unmatch "$file" >/dev/null 2>&1 || fail "$file is generated and not committed"
done < <(generated)

step "alerts: each fires when it should, and only then"
(cd deploy/prometheus && "$here/promtool.sh" test rules tests/*.yaml) >"$tmp/alerts" 2>&1 || { grep -v '^ *SUCCESS$' "$tmp/alerts" >&2; fail "alerts do not do what deploy/prometheus/tests expects"; }

step "protobuf compatibility"
buf=$("$here/tool.sh" buf)
base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
if git cat-file -e "$base:proto/buf.yaml" 2>/dev/null; then
  mkdir "$tmp/base"
  git archive "$base" proto | tar x -C "$tmp/base"
  (cd proto && "$buf" breaking --against "$tmp/base/proto") || fail "the protobuf schema breaks readers of $(git rev-parse --short "$base")"
fi

for module in "$@"; do
  step "$module: tidy, build and vet without the workspace"
  if ! (cd "$module" && GOWORK=off go mod tidy -diff) >"$tmp/tidy" 2>&1; then
    grep -v '^go: downloading' "$tmp/tidy" | head -n 30 >&2
    fail "$module: go.mod or go.sum is not tidy (cd $module && GOWORK=off go mod tidy)"
  fi
  [ -n "$(find "$module" -name '*.go' -not -path '*/node_modules/*' -print -quit)" ] || continue # only pins tools
  (cd "$module" && GOWORK=off go build -o /dev/null ./... && GOWORK=off go vet ./...) || fail "$module does not stand alone"
done

[ "$failed" = 0 ] || exit 1
step "everything is current"
