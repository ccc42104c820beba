#!/usr/bin/env bash
# fuzz.sh DURATION MODULE... runs every fuzz target of the modules for DURATION each, such as 10s. What makes one fail is
# kept by Go in the package's testdata/fuzz, to be committed with the repair.
set -euo pipefail

duration=${1:?usage: fuzz.sh DURATION MODULE...}
shift
count=0
while IFS=: read -r file target; do
  printf '[fuzz] %s %s for %s\n' "$(dirname "$file")" "$target" "$duration" >&2
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" "./$(dirname "$file")"
  count=$((count + 1))
done < <(find "$@" -name node_modules -prune -o -name '*_test.go' -print | sort -u | xargs grep -HoE '^func Fuzz[A-Za-z0-9_]+' | sed 's/:func /:/')
[ "$count" -gt 0 ] || { echo "[fuzz] there are no fuzz targets" >&2; exit 1; }
printf '[fuzz] %d targets held\n' "$count" >&2
