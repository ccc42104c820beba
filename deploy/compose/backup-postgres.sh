# shellcheck shell=bash disable=SC2016 # scripts in single quotes expand in the container
# PostgreSQL's part of backup.sh. A dump (SQL) moves between versions and machines, but knows its own moment only. A base
# backup is a copy of the server's files; with the archive of its write-ahead log (deploy/postgres/archive.sh) it can be
# brought to any moment after it. A restored server begins a new timeline; older base backups follow it as well. The archive
# has a folder per server, named by its system identifier.

# RECOVERY_SECONDS is how long bringing a base backup to its moment may take.
RECOVERY_SECONDS=${RECOVERY_SECONDS:-3600}
# ARCHIVE_SECONDS is how long the archive may take for the newest part of the log.
ARCHIVE_SECONDS=60

postgres_dump() { quietly postgres 'exec pg_dump -U postgres --create --clean --if-exists "$1"' "$DATABASE"; }

# postgres_base: the server's files, with as much of the log as they need to be consistent. Its label is what it is known by.
postgres_base() {
  quietly postgres '
    [ "$(psql -U postgres -XAtc "SHOW archive_mode")" = on ] || { echo "archive_mode is off: this server cannot be restored to a point in time" >&2; exit 1; }
    exec pg_basebackup -U postgres -D - --format=tar --wal-method=fetch --checkpoint=fast --label="$1"' "tallyboard-$(stamp)-$RANDOM$RANDOM"
}

# postgres_there: whether there is a database.
postgres_there() { quietly postgres 'psql -U postgres -XAtc "SELECT COUNT(*) FROM pg_database WHERE datname = \$\$$1\$\$"' "$DATABASE"; }

postgres_check() {
  local file=$1 until=$2 begin
  begin=$(begin_of "$file")
  case $begin in
    *"-- PostgreSQL database dump"*)
      [ -z "$until" ] || die "a dump knows its own moment only: name a base backup (make backup BASE=1 makes one, for from then on)"
      ;;
    backup_label*"START WAL LOCATION: "*)
      POSTGRES_LABEL=$(sed -n 's/^LABEL: //p' <<<"$begin")
      POSTGRES_SEGMENT=$(sed -n 's/^.*START WAL LOCATION: .* (file \([0-9A-F]*\)).*$/\1/p' <<<"$begin")
      { [ -n "$POSTGRES_LABEL" ] && [ -n "$POSTGRES_SEGMENT" ]; } || die "$file is no base backup of make backup BASE=1"
      [ -z "$until" ] || POSTGRES_SYSTEM=$(quietly postgres '
        fail() { echo "$*" >&2; exit 1; }
        for history in "$ARCHIVE_DIR"/*/"$1".*.backup.gz; do # of any server: the one that runs may have been made anew
          [ -f "$history" ] && text=$(gunzip <"$history") && grep -qxF "LABEL: $2" <<<"$text" || continue
          ended=$(sed -n "s/^STOP TIME: //p" <<<"$text")
          [ "$3" -gt "$(date -u -d "$ended" +%s%6N)" ] || fail "the backup is newer than UNTIL: it ended at $ended; choose an older one"
          basename "${history%/*}"
          exit
        done
        fail "the archive does not have what followed on this backup: it is of another server, or older than what is kept"
        ' "$POSTGRES_SEGMENT" "$POSTGRES_LABEL" "$until") || die "$file cannot be restored to that time, so nothing was changed"
      ;;
    *) die "$file is no backup of the engine that runs (postgres)" ;;
  esac
}

postgres_put() {
  local file=$1 until=$2 saved=$3 stamp
  if [ -z "${POSTGRES_LABEL:-}" ]; then
    zcat "$file" | inside postgres 'exec psql -q -U postgres -v ON_ERROR_STOP=1 postgres' >/dev/null ||
      die "the restore failed; services are stopped. Repeat it; $saved"
    return
  fi
  stamp=$(stamp)
  if ! { [ -z "$until" ] || postgres_archive_all "$POSTGRES_SYSTEM"; }; then
    resume || true
    die "the archive is not complete, so nothing was changed"
  fi
  compose stop postgres
  # Beside the data that is there, in a container of its own: they change places when everything has gone well.
  if ! zcat "$file" | postgres_apart "$POSTGRES_RECOVER" "$stamp" "$until" "$RECOVERY_SECONDS"; then
    { postgres_up && resume; } || true
    die "the restore failed, so nothing was changed"
  fi
  # Only the server itself leaves recovery, and so begins a new timeline: an attempt that fails leaves none in the archive.
  if ! { compose up --detach --no-deps --no-recreate postgres && postgres_promoted; }; then
    compose stop postgres
    postgres_apart "$POSTGRES_PUT_BACK" "$stamp" </dev/null ||
      die "the restored server did not start, and what was there before is not back: it is beside it, as replaced-$stamp; $saved"
    { postgres_up && resume; } || true
    die "the restored server did not start, so what was there before is back"
  fi
  postgres_finish "$stamp" || die "the data of $file is in place, but its server could not be set up; services are stopped. Repeat the restore; $saved"
  say "make a new base backup now: make backup BASE=1"
}

# postgres_apart SCRIPT [ARG...]: in a container with the data, while the server's is stopped.
postgres_apart() {
  local script=$1
  shift
  compose run --rm -T --no-deps --entrypoint bash postgres -o pipefail -euc "$script" postgres "$@"
}

postgres_up() { compose up --detach --no-deps --no-recreate --wait --wait-timeout 120 postgres; }

# postgres_archive_all SYSTEM: brings the log up to now into the archive, with a transaction of now, so that recovery knows
# that it has seen everything before; unless the server that runs is another than the backup's, which has ended.
postgres_archive_all() {
  quietly postgres '
    [ "$(psql -U postgres -XAtc "SELECT system_identifier FROM pg_control_system()")" = "$2" ] || exit 0
    psql -U postgres -XAtqc "SELECT pg_current_xact_id()" >/dev/null
    segment=$(psql -U postgres -XAtc "SELECT pg_walfile_name(pg_switch_wal())")
    for ((i = 0; i < 10 * $1; i++)); do
      [ ! -f "$ARCHIVE_DIR/$2/$segment.gz" ] || exit 0
      sleep 0.1
    done
    echo "the archive did not take $segment within $1 s: see pg_stat_archiver and the log of postgres" >&2
    exit 1' "$ARCHIVE_SECONDS" "$1"
}

# postgres_promoted: waits until the server has come to the moment once more and takes writes.
postgres_promoted() {
  quietly postgres '
    for ((i = 0; i < 2 * $1; i++)); do
      [ "$(psql -U postgres -XAtqc "SELECT pg_is_in_recovery()" postgres 2>/dev/null)" != f ] || exit 0
      sleep 0.5
    done
    echo "the restored server was not ready within $1 s" >&2
    exit 1' "$RECOVERY_SECONDS"
}

# postgres_finish STAMP: what is needed for recovery goes, the old data too. The administrator gets the password that this
# stack has: the backup may be of another.
postgres_finish() {
  inside postgres '
    ask() { psql -U postgres -XAtq -v ON_ERROR_STOP=1 postgres; }
    for setting in recovery_target recovery_target_time recovery_target_action restore_command; do
      ask <<<"ALTER SYSTEM RESET $setting"
    done
    ask
    rm -rf "${PGDATA%/*}/replaced-$1"' "$1" <<'SQL'
\set secret `cat "$POSTGRES_PASSWORD_FILE"`
ALTER ROLE postgres PASSWORD :'secret';
SQL
}

# POSTGRES_RECOVER STAMP UNTIL SECONDS: unpacks a base backup from standard input beside the data, checks it, brings it to its
# moment with a server that nobody reaches, and puts it in place of the data, which is kept as replaced-STAMP. At no moment is
# there no data: a server that started would make new data.
POSTGRES_RECOVER='
  fail() { echo "$*" >&2; exit 1; }
  stamp=$1 until=$2 seconds=$3
  printf -v quote "\047"
  new=${PGDATA%/*}/restoring old=${PGDATA%/*}/replaced-$stamp socket=$(mktemp -d)
  [ -d "$PGDATA" ] || fail "there is no data"
  [ ! -e "$PGDATA/postmaster.pid" ] || fail "a server runs on the data"
  for earlier in "${PGDATA%/*}"/replaced*; do
    [ ! -e "$earlier" ] || echo "note: $earlier is of a restore that did not end; remove it when it is not needed" >&2
  done
  rm -rf "$new"
  mkdir -p -m 700 "$new"
  trap "rm -rf \"\$new\"" EXIT
  tar -x -f - -C "$new"
  pg_verifybackup --quiet --no-parse-wal "$new"
  archive=$ARCHIVE_DIR/$(od -A n -t u8 -N 8 "$new/global/pg_control" | tr -d " ")
  target="recovery_target = immediate"
  [ -z "$until" ] || target="recovery_target_time = $quote$(date -u -d "@${until%??????}.${until: -6}" "+%Y-%m-%d %H:%M:%S.%6N+00")$quote"
  printf "%s\n" "$target" "recovery_target_action = pause" \
    "restore_command = ${quote}gunzip <\"$archive/%f.gz\" >\"%p\"$quote" >>"$new/postgresql.auto.conf"
  touch "$new/recovery.signal"
  config=()
  [ -z "${POSTGRES_CONFIG:-}" ] || config=(-c "config_file=$POSTGRES_CONFIG")
  log=$new/recovery.log
  postgres -D "$new" "${config[@]}" -c hot_standby=on -c listen_addresses= -c port=5432 -c "unix_socket_directories=$socket" >"$log" 2>&1 &
  server=$!
  trap "kill -INT $server 2>/dev/null && wait $server; rm -rf \"\$new\"" EXIT
  ask() { psql -h "$socket" -p 5432 -U postgres -XAtqc "$1" postgres; }
  for ((i = 0; ; i++)); do
    [ "$(ask "SELECT pg_get_wal_replay_pause_state()" 2>/dev/null)" != paused ] || break
    kill -0 "$server" 2>/dev/null || { tail -n 20 "$log" >&2; fail "the server could not be brought to that time"; }
    [ "$i" -lt $((2 * seconds)) ] || fail "recovery took more than $seconds s"
    sleep 0.5
  done
  kill -INT "$server"
  wait "$server" || fail "the restored server did not stop in order"
  rm "$log"
  rm -rf "$socket"
  sed -i "s/^recovery_target_action = .*/recovery_target_action = promote/" "$new/postgresql.auto.conf"
  sync -f "$new"
  trap "[ -e \"\$PGDATA\" ] || mv \"\$old\" \"\$PGDATA\"" EXIT
  if mv --no-target-directory --exchange "$new" "$PGDATA" 2>/dev/null; then # in one step
    mv "$new" "$old"
  else
    mv "$PGDATA" "$old"
    mv "$new" "$PGDATA"
  fi
'

# POSTGRES_PUT_BACK STAMP: the other way round.
POSTGRES_PUT_BACK='
  old=${PGDATA%/*}/replaced-$1 failed=${PGDATA%/*}/restoring
  [ -d "$old" ] || { echo "$old is not there" >&2; exit 1; }
  if [ -e "$PGDATA" ]; then mv "$PGDATA" "$failed"; fi
  mv "$old" "$PGDATA"
  rm -rf "$failed"
'
