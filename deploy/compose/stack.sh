#!/usr/bin/env bash
# The commands behind `make up`, `down`, `update`, `backup` and `restore`. They act on the stack that Compose's own
# variables name (COMPOSE_FILE for variants, COMPOSE_PROJECT_NAME for a second stack), and need no more than Docker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

BACKUP_DIR=${BACKUP_DIR:-backups}
DATABASE=tallyboard

say() { printf '%s\n' "$*" >&2; }
die() { say "stack: $*"; exit 1; }
compose() { docker compose "$@"; }

# Images say which commit they are made of.
identify() {
  COMMIT=${COMMIT:-$(git rev-parse HEAD 2>/dev/null || true)}
  export COMMIT
}

# grafana_available: whether its image is here or can be had.
grafana_available() {
  local image
  image=$(compose --profile grafana config --images 2>/dev/null | grep grafana/ || true)
  [ -n "$image" ] || return 1
  docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >/dev/null 2>&1
}

up() {
  identify
  if grafana_available; then
    compose --profile grafana up --build --wait --wait-timeout 300 --remove-orphans
  else
    say "Grafana's image cannot be had here: starting without it."
    compose up --build --wait --wait-timeout 300 --remove-orphans
  fi
  where
}

# address SERVICE PORT: where a container's port is on this machine.
address() { compose port "$1" "$2" 2>/dev/null | sed 's/^0\.0\.0\.0:/localhost:/; s/^127\.0\.0\.1:/localhost:/' || true; }

where() {
  local a
  echo
  a=$(address edge 8443)
  if [ -n "$a" ]; then echo "  Tallyboard   https://$a"; else a=$(address edge 8080) && echo "  Tallyboard   http://$a"; fi
  echo "  API docs     at /api/docs"
  a=$(address jaeger 16686);   [ -z "$a" ] || echo "  Traces       http://$a (Jaeger)"
  a=$(address prometheus 9090); [ -z "$a" ] || echo "  Metrics      http://$a (Prometheus)"
  a=$(address grafana 3000);   [ -z "$a" ] || echo "  Dashboards   http://$a (Grafana)"
  echo
  echo "  make demo fills it, make logs shows what it does, make down stops it (the data stays)."
}

# replace SERVICE: new containers beside the old ones, then without them. No request fails meanwhile: the edge finds new
# replicas by itself, and old ones finish what they have.
replace() {
  local service=$1 old count
  mapfile -t old < <(compose ps -q "$service")
  count=${#old[@]}
  [ "$count" -gt 0 ] || die "$service is not running"
  compose up --detach --no-deps --no-recreate --wait --wait-timeout 120 --scale "$service=$((2 * count))" "$service"
  for container in "${old[@]}"; do
    docker stop "$container" >/dev/null
    docker rm "$container" >/dev/null
  done
  compose up --detach --no-deps --no-recreate --wait --wait-timeout 120 --scale "$service=$count" "$service"
}

update() {
  identify
  compose build
  compose run --rm provision # the schema first: a service's migrations stay readable for the version before it
  replace task-service
  replace stats-service
}

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

# dump: the database as it is at one moment, on standard output. Nobody waits for it.
dump() {
  case $1 in
    mysql) compose exec -T mysql sh -c "MYSQL_PWD=\$(cat /run/secrets/admin-password) exec mysqldump -uroot \
      --single-transaction --source-data=2 --hex-blob --set-gtid-purged=OFF --no-tablespaces --databases $DATABASE" ;;
    postgres) compose exec -T postgres pg_dump -U postgres --create --clean --if-exists "$DATABASE" ;;
  esac
}

backup() {
  local engine file
  engine=$(engine)
  mkdir -p "$BACKUP_DIR"
  file=${1:-$BACKUP_DIR/tallyboard-$engine-$(date -u +%Y%m%dT%H%M%SZ).sql.gz}
  ( umask 077 && dump "$engine" | gzip > "$file.part" ) || { rm -f "$file.part"; die "the backup failed"; }
  gzip -t "$file.part" && mv "$file.part" "$file"
  echo "$file"
}

restore() {
  local file=${1:-} engine head safety
  [ -f "$file" ] || die "say which backup: make restore FILE=$BACKUP_DIR/…"
  gzip -t "$file" || die "$file is damaged"
  engine=$(engine)
  head=$(zcat "$file" 2>/dev/null | head -c 4096 || true)
  case $engine:$head in
    mysql:*"-- MySQL dump"*) ;;
    postgres:*"-- PostgreSQL database dump"*) ;;
    *) die "$file is no backup of the engine that runs ($engine)" ;;
  esac
  safety=$(backup "$BACKUP_DIR/before-restore-$engine-$(date -u +%Y%m%dT%H%M%SZ).sql.gz")
  say "what is there now is kept in $safety"
  compose stop edge task-service stats-service
  # shellcheck disable=SC2016 # expands in the container
  case $engine in
    mysql) { echo "DROP DATABASE IF EXISTS $DATABASE;"; zcat "$file"; } | compose exec -T mysql sh -c \
      'MYSQL_PWD=$(cat /run/secrets/admin-password) exec mysql -uroot' ;;
    postgres) zcat "$file" | compose exec -T postgres psql -q -U postgres -v ON_ERROR_STOP=1 postgres >/dev/null ;;
  esac || die "the restore failed; services are stopped. Repeat it, or restore $safety"
  # The schema may be older than the programs, and the stream holds events that the database no longer knows.
  PROVISION_DISCARD_STREAM=true compose run --rm provision
  compose start task-service stats-service edge
  compose up --detach --no-deps --no-recreate --wait --wait-timeout 120 task-service stats-service edge
  say "restored from $file"
}

command=${1:-}
shift || true
case $command in
  up) up ;;
  where) where ;;
  replace) replace "${1:?a service}" ;;
  update) update ;;
  backup) backup "$@" ;;
  restore) restore "$@" ;;
  *) die "commands: up, where, replace SERVICE, update, backup [FILE], restore FILE" ;;
esac
