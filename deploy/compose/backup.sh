# shellcheck shell=bash disable=SC2016 # scripts in single quotes expand in the container
# Backup and restore, sourced by stack.sh: how they follow on each other. What is done within the database's container, and
# differs by engine, is in backup-mysql.sh and backup-postgres.sh, which each have
#
#   ENGINE_dump                      the database as it is at one moment, as SQL, on standard output; nobody waits for it
#   ENGINE_there                     1 if there is a database, 0 if not
#   ENGINE_check FILE UNTIL          dies unless FILE can be restored, to UNTIL (microseconds since 1970, or empty) if given.
#                                    Nothing has been changed or stopped yet
#   ENGINE_put FILE UNTIL SAVED      puts it in place; the services are stopped. SAVED says where is what was there before

# BACKUP_DIR is where backups go; files are readable by their owner alone.
BACKUP_DIR=${BACKUP_DIR:-backups}
# shellcheck disable=SC2034 # the engines' parts use it
DATABASE=tallyboard
SERVICES=(task-service stats-service)

# inside SERVICE SCRIPT [ARG...]: run a bash script in a running container; ARGs are $1, $2, …
inside() {
  local service=$1 script=$2
  shift 2
  compose exec -T "$service" bash -o pipefail -euc "$script" "$service" "$@"
}

# quietly SERVICE SCRIPT [ARG...]: the same, without taking standard input.
quietly() { inside "$@" </dev/null; }

stamp() { date -u +%Y%m%dT%H%M%SZ; }

# engine: the database that runs.
engine() {
  local running
  running=$(compose ps --services --status running)
  case $'\n'"$running"$'\n' in
    *$'\n'mysql$'\n'*) echo mysql ;;
    *$'\n'postgres$'\n'*) echo postgres ;;
    *) die "no database is running: start the stack first" ;;
  esac
}

# save FILE COMMAND...: what the command writes, compressed. The file is there when it is complete and on disk, or not at all.
save() {
  local file=$1
  shift
  if (umask 077 && mkdir -p "$(dirname "$file")" && "$@" </dev/null | gzip >"$file.part") &&
    gzip -t "$file.part" && sync "$file.part" && mv "$file.part" "$file"; then
    return
  fi
  rm -f "$file.part"
  return 1
}

# unused FILE: dies if there is one already.
unused() { [ ! -e "$1" ] || die "$1 is there already, and stays as it is: choose another name"; }

# backup [FILE]: with BASE set, PostgreSQL's files instead of SQL, from which it can be restored to a point in time.
backup() {
  local engine file
  engine=$(engine)
  if [ -n "${BASE:-}" ]; then
    [ "$engine" = postgres ] || die "BASE is for PostgreSQL: on MySQL any backup is good for a point in time"
    file=${1:-$BACKUP_DIR/tallyboard-postgres-base-$(stamp).tar.gz}
    unused "$file"
    save "$file" postgres_base || die "the backup failed"
  else
    file=${1:-$BACKUP_DIR/tallyboard-$engine-$(stamp).sql.gz}
    unused "$file"
    save "$file" "${engine}_dump" || die "the backup failed"
  fi
  echo "$file"
}

# begin_of FILE: its first bytes, without those of zero, by which it is known what it is.
begin_of() { zcat "$1" 2>/dev/null | head -c 4096 | tr -d '\0' || true; }

# moment ENGINE TEXT: a time in UTC, or with its zone, as microseconds since 1970; dies unless it is one, and past.
moment() {
  local form='^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?$' at
  [[ $2 =~ $form ]] || die "UNTIL must be a time such as \"2026-01-31 20:15:00\" (UTC) or 2026-01-31T20:15:00+01:00"
  at=$(quietly "$1" 'date -u -d "$1" +%s%6N' "$2") || die "there is no such time: $2"
  [ "$at" -le "$(quietly "$1" 'date +%s%6N')" ] || die "UNTIL is in the future: $2"
  echo "$at"
}

# shown ENGINE MICROSECONDS
shown() { quietly "$1" 'date -u -d "@${1%??????}.${1: -6}" "+%Y-%m-%d %H:%M:%S.%6N"' "$2"; }

# restore FILE [UNTIL]: everything that can be found wrong is found before anything is stopped or changed. What is there is
# saved first; with UNSAVED set it is not, for when it cannot be read.
restore() {
  local file=${1:-} until=${2:-} engine there saved
  [ -f "$file" ] || die "say which backup: make restore FILE=$BACKUP_DIR/… (UNTIL=\"2026-01-31 20:15:00\" for the state of then, in UTC)"
  gzip -t "$file" || die "$file is damaged"
  engine=$(engine)
  [ -z "$until" ] || until=$(moment "$engine" "$until")
  "${engine}_check" "$file" "$until"
  renew # or provision, once everything is stopped, could not connect to servers whose certificates have expired
  # The services stop first: what they acknowledge until then is in the copy.
  compose stop edge "${SERVICES[@]}"
  saved=$BACKUP_DIR/before-restore-$engine-$(stamp).sql.gz
  if [ -n "${UNSAVED:-}" ]; then
    saved="what was there before was not saved (UNSAVED)"
  elif there=$("${engine}_there") && [ "$there" = 0 ]; then
    saved="there was no database to save before"
  elif save "$saved" "${engine}_dump"; then
    saved="what was there before is in $saved"
  else
    resume || true
    die "what is there now could not be saved first, so nothing was changed. If it is not worth saving: UNSAVED=1 make restore …"
  fi
  say "$saved"
  "${engine}_put" "$file" "$until" "$saved"
  # The schema may be older than the programs, and the stream holds events that the database no longer knows.
  PROVISION_DISCARD_STREAM=true compose run --rm provision ||
    die "the data of $file is in place, but provision failed (above): services are stopped. When its cause is mended, go on with
  PROVISION_DISCARD_STREAM=true docker compose run --rm provision && docker compose up --detach --wait
or restore another backup; $saved"
  resume || die "$file is restored, but services did not become ready: see docker compose ps, and their logs; $saved"
  say "restored from $file${until:+, as it was at $(shown "$engine" "$until") UTC}"
}

resume() {
  compose start "${SERVICES[@]}" edge &&
    compose up --detach --no-deps --no-recreate --wait --wait-timeout 120 "${SERVICES[@]}" edge
}
