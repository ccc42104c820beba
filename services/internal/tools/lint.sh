#!/usr/bin/env bash
# lint.sh MODULE... runs every linter: golangci-lint per Go module, buf on the schema, actionlint on the workflows,
# svelte-check on the UI, promtool on Prometheus's rules, the TypeScript compiler on the dashboards, and shellcheck where it
# is installed (it cannot be pinned through a package registry). With FIX=1 golangci-lint repairs what it can.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cd "$root"
failed=0
step() { printf '[lint] %s\n' "$*" >&2; }

golangci=$("$here/tool.sh" golangci-lint)
for module in "$@"; do
  [ -n "$(find "$module" -name '*.go' -not -path '*/node_modules/*' -print -quit)" ] || continue
  step "$module"
  case $module in services/internal/tools*) workspace=off ;; *) workspace=$root/go.work ;; esac
  (cd "$module" && GOWORK=$workspace "$golangci" run --allow-parallel-runners -c "$root/.golangci.yml" ${FIX:+--fix} ./...) || failed=1
done

step "seeded bugs: the files that only their tag builds"
(cd services/internal/kit && GOWORK=$root/go.work "$golangci" run --allow-parallel-runners -c "$root/.golangci.yml" --build-tags seededbugs ./seeded/...) || failed=1

step "tests that sleep"
while IFS= read -r file; do
  grep -q '"testing/synctest"' "$file" || { echo "$file: time.Sleep outside of testing/synctest, where it waits for luck"; failed=1; }
done < <(git ls-files -co --exclude-standard -- '*_test.go' | xargs grep -lE '\btime\.Sleep\(' || true)

step "proto"
buf=$("$here/tool.sh" buf)
(cd proto && "$buf" lint && "$buf" format --diff --exit-code) || failed=1

step "workflows"
actionlint=$("$here/tool.sh" actionlint)
"$actionlint" || failed=1

if command -v shellcheck >/dev/null; then
  step "shell scripts"
  { git ls-files -z -- '*.sh'; printf '.ci/run\0'; } | xargs -0 shellcheck || failed=1
else
  step "shellcheck is not installed: shell scripts go unchecked"
fi

step "Prometheus: configuration and rules"
(cd deploy/prometheus && "$here/promtool.sh" check config --lint=all prometheus.yaml && "$here/promtool.sh" check rules --lint=all rules/*.yaml) || failed=1

step "deploy/grafana"
make dashboard-deps
(cd deploy/grafana && npm run --silent check) || failed=1

if [ -n "$(cd services/web && npm pkg get scripts.check 2>/dev/null | tr -d '{}')" ]; then
  step "services/web"
  make ui-deps
  (cd services/web && npm run --silent check) || failed=1
fi

exit "$failed"
