# shellcheck shell=bash disable=SC2034 # variables are for servers.sh and its other parts
# One test server, sourced by servers.sh: its state, its process, its data directory. What differs by engine is in
# servers-mysql.sh and servers-postgres.sh, which have for each of theirs
#
#   url_ENGINE PORT                     the server's URL
#   answers_ENGINE PORT                 whether a server speaks the engine's protocol there and lets people in
#   accept_ENGINE BINARY                prints its version if it is this engine, new enough, complete, and runs here
#   init_ENGINE BINARY [WRAPPER...]     makes a data directory in $DIR/data
#   run_ENGINE SOURCE VERSION BINARY [WRAPPER...]   launches the server on $PORT
#   local_ENGINE                        fills NAMES and HOMES: what its server is called, and where it may lie
#   image_ENGINE                        fills IMAGE, INSIDE (its port there), OPTIONS (of docker run) and FLAGS (of the server)
#   packages_ENGINE                     fetches the server and runs it

MAX_CONNECTIONS=600
START_SECONDS=90
PORTS_FROM=21000 PORTS_TO=29999 # below the range the kernel gives to outgoing connections

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

url_for() { "url_$E" "$1"; }
answers() { "answers_$E" "$1"; }

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
