#!/bin/sh
# Builds the programs of the images: deploy/build.sh OUT. Each gets a folder OUT/NAME that becomes the root of its image.
# The same sources, toolchain and target give the same bytes: no paths, no build ids, no times.
# GOOS, GOARCH, VERSION and COMMIT come from the environment; COMMIT is read from .git when empty.
set -eu
out=$1

# commit prints the commit that .git names, without git and from the few files of it that are here.
commit() {
  head=$(cat .git/HEAD 2>/dev/null) || return 0
  case $head in
    "ref: "*) ref=${head#ref: } ;;
    *) echo "$head"; return ;;
  esac
  cat ".git/$ref" 2>/dev/null || sed -n "s,^\([0-9a-f]*\) $ref\$,\1,p" .git/packed-refs 2>/dev/null || true
}

COMMIT=${COMMIT:-$(commit)}
COMMIT=$(printf %.12s "${COMMIT:-unknown}")
version="${VERSION:-dev}+$COMMIT"
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"

for name in task-service stats-service provision; do
  case $name in provision) dir=services/tallyboard/cmd/provision ;; *) dir=services/$name/cmd/$name ;; esac
  mkdir -p "$out/$name"
  # grpcnotrace leaves out gRPC's debug pages, which no one can reach anyway.
  go build -tags grpcnotrace -ldflags "-s -w -buildid= -X main.version=$version" -o "$out/$name/$name" "./$dir"
  GOOS='' GOARCH='' go run ./services/tallyboard/cmd/sbom -name "$name" -version "$version" \
    -binary "$out/$name/$name" -ui "$(test $name = task-service && echo services/web)" > "$out/$name/sbom.cdx.json"
done
mkdir -p "$out/provision/sql"
cp -r deploy/mysql deploy/postgres "$out/provision/sql/"
find "$out" -exec touch -h -d @0 {} +
