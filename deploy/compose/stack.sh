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

# CONFIGURED is what containers read when they start: NAME, as in the variable TALLYBOARD_CONFIG_NAME of compose.yaml, and
# files. Compose compares definitions and not these files, so their sum is part of the definition, as a label.
CONFIGURED=(
  "NGINX deploy/nginx" "MYSQL deploy/mysql/tallyboard.cnf" "POSTGRES deploy/postgres" "NATS deploy/nats" "OTEL deploy/otel"
  "JAEGER deploy/jaeger" "PROMETHEUS deploy/prometheus" "GRAFANA deploy/grafana/datasources deploy/grafana/provisioning"
)

# configuration_now: the containers shall have the files that are here now.
configuration_now() {
  local line words
  for line in "${CONFIGURED[@]}"; do
    read -ra words <<<"$line"
    export "TALLYBOARD_CONFIG_${words[0]}=$(find "${words[@]:1}" -type f | LC_ALL=C sort | xargs cksum | cksum | cut -d ' ' -f 1)"
  done
}

# configuration_kept: the containers shall keep what they were started with.
configuration_kept() {
  local name sum
  while read -r name sum; do
    [ -z "$name" ] || export "TALLYBOARD_CONFIG_$name=$sum"
  done < <(compose ps --all --format '{{.Label "tallyboard.configuration"}}' 2>/dev/null || true)
}

# configuration_stale: the running containers that were started with other files than are here now.
configuration_stale() {
  local service label name
  while read -r service label; do
    name=TALLYBOARD_CONFIG_${label% *}
    [ -z "$label" ] || [ "${label#* }" = "${!name:-}" ] || echo "$service"
  done < <(compose ps --format '{{.Service}} {{.Label "tallyboard.configuration"}}')
}

up() {
  local profile=()
  identify
  configuration_now
  if grafana_available; then profile=(--profile grafana); else say "Grafana's image cannot be had here: starting without it."; fi
  renew --build
  compose "${profile[@]}" up --build --wait --wait-timeout 300 --remove-orphans
  reread
  if [ -n "$AUTHORITY_NEW" ]; then
    replace task-service
    replace stats-service
  fi
  where
}

# renew [OPTION]: a stack that runs gets new certificates, if it is time, and takes them before anybody connects to it anew:
# once those that it shows have expired, provision could not. OPTION is of `docker compose run`. The collector reads at its
# start whom it trusts, and so do services for their way to it, who are left to the caller: AUTHORITY_NEW says whether.
renew() {
  local trusted
  AUTHORITY_NEW=
  [ -n "$(compose ps --services --status running)" ] || return 0
  trusted=$(authority)
  compose run --rm "$@" -T secrets </dev/null || die "no certificates could be made"
  reread
  [ -n "$trusted" ] && [ "$trusted" != "$(authority)" ] || return 0
  AUTHORITY_NEW=yes
  say "The certificate authority is new: restarting those that trust it."
  compose restart --no-deps otel-collector
}

# authority: whom the stack trusts, if it runs.
authority() { compose exec -T edge cat /run/secrets/ca.crt </dev/null 2>/dev/null || true; }

# reread: servers take the certificates that are in their files now, and keep their connections; the collector and Jaeger
# look by themselves. They are told from inside: after `docker kill`, with any signal, the engine would not start the
# container again by itself; and databases by their socket, for which no certificate is needed. nginx ends its workers for
# it, so it is told only if there is something new (start.sh notes what it began with).
# shellcheck disable=SC2016 # scripts in single quotes expand in the container
reread() {
  local service script
  for service in $(compose ps --services --status running); do
    case $service in
      mysql) script=$MYSQL_LOGIN'sql "ALTER INSTANCE RELOAD TLS"' ;;
      postgres) script='psql -U postgres -XqAtc "SELECT pg_reload_conf()" >/dev/null' ;;
      nats | nats-2 | nats-3) script='kill -HUP 1' ;;
      edge) script='now=$(cksum /run/secrets/*.crt /run/secrets/*.key)
        [ "$now" = "$(cat /tmp/nginx/certificates 2>/dev/null)" ] || { echo "$now" >/tmp/nginx/certificates && kill -HUP 1; }' ;;
      *) continue ;;
    esac
    compose exec -T "$service" sh -c "$script" </dev/null ||
      say "$service could not be told to read its certificate anew: docker compose restart $service, if it has expired"
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
  local stale
  identify
  configuration_now
  stale=$(configuration_stale | sort -u | xargs)
  [ -z "$stale" ] || say "These run with another configuration than is here; \`make up\` starts them anew, which takes seconds: $stale"
  compose build
  renew
  compose run --rm --no-deps provision # the schema first: a service's migrations stay readable for the version before it
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
  restore) configuration_kept; restore "$@" ;;
  *) die "commands: up, where, replace SERVICE, update, backup [FILE], restore FILE [UNTIL]" ;;
esac
