#!/usr/bin/env bash
# The commands behind `make up`, `down`, `update`, `backup` and `restore`. They act on the stack that Compose's own
# variables name (COMPOSE_FILE for variants, COMPOSE_PROJECT_NAME for a second stack), and need no more than Docker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

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
  reread
  where
}

# reread: certificates may have been renewed. Databases were told so by provision, the collector and Jaeger look by
# themselves; these read theirs when they get a signal, and keep their connections. It comes from inside: after `docker kill`,
# with any signal, the engine would not start the container again by itself.
reread() {
  local service
  for service in $(compose ps --services --status running); do
    case $service in edge | nats | nats-2 | nats-3) compose exec -T "$service" sh -c 'kill -HUP 1' ;; esac
  done
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

# shellcheck source=deploy/compose/backup.sh
. deploy/compose/backup.sh
# shellcheck source=deploy/compose/backup-mysql.sh
. deploy/compose/backup-mysql.sh
# shellcheck source=deploy/compose/backup-postgres.sh
. deploy/compose/backup-postgres.sh

command=${1:-}
shift || true
case $command in
  up) up ;;
  where) where ;;
  replace) replace "${1:?a service}" ;;
  update) update ;;
  backup) backup "$@" ;;
  restore) restore "$@" ;;
  *) die "commands: up, where, replace SERVICE, update, backup [FILE], restore FILE [UNTIL]" ;;
esac
