# shellcheck shell=bash disable=SC2034 # variables are for servers.sh and its other parts
# MySQL and MariaDB, sourced by servers.sh: what differs from PostgreSQL, and between the two. servers-process.sh says which
# functions an engine has.

MYSQL_IMAGE=mysql:9.7 MARIADB_IMAGE=mariadb:10.11
MYSQL_SUITE=${MYSQL_SUITE:-sid} MARIADB_SUITE=${MARIADB_SUITE:-bookworm} # of Debian

url_mysql() { echo "mysql://root@127.0.0.1:$1/"; }
url_mariadb() { url_mysql "$1"; }

# The server greets first; what stands in front of a container that is not ready closes the connection instead.
answers_mysql() {
  local byte
  byte=$( (exec 3<>"/dev/tcp/127.0.0.1/$1" && IFS= read -r -t 5 -n 1 -u 3 b && printf %s "$b") 2>/dev/null) || return 1
  [ -n "$byte" ]
}
answers_mariadb() { answers_mysql "$1"; }

accept_mysql() {
  local said version
  said=$(as "$1" --no-defaults --version 2>/dev/null) || return 1
  version=$(grep -oE 'Ver [0-9.]+' <<<"$said" | number)
  ! grep -qi mariadb <<<"$said" && at_least "$version" 8.0 || return 1
  echo "$version"
}
accept_mariadb() {
  local said version
  said=$(as "$1" --no-defaults --version 2>/dev/null) || return 1
  version=$(grep -oE 'Ver [0-9.]+' <<<"$said" | number)
  grep -qi mariadb <<<"$said" && at_least "$version" 10.11 || return 1
  echo "$version"
}

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

local_mysql() { NAMES=(mysqld) HOMES=(/usr/sbin /usr/libexec /usr/local/mysql/bin /opt/homebrew/opt/mysql*/bin); }
local_mariadb() { NAMES=(mariadbd mysqld) HOMES=(/usr/sbin /usr/libexec /opt/homebrew/opt/mariadb*/bin); }

image_mysql() {
  IMAGE=$MYSQL_IMAGE INSIDE=3306 OPTIONS=(-e MYSQL_ALLOW_EMPTY_PASSWORD=1 -e MYSQL_ROOT_HOST=%)
  image_flags
}
image_mariadb() {
  IMAGE=$MARIADB_IMAGE INSIDE=3306 OPTIONS=(-e MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 -e MARIADB_ROOT_HOST=%)
  image_flags
}
image_flags() {
  FLAGS=(--skip-log-bin --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0)
  [ "$VARIANT" != durable ] || FLAGS=(--log-bin=binlog --server-id=1 --sync-binlog=1 --innodb-flush-log-at-trx-commit=1)
  FLAGS+=("--max-connections=$MAX_CONNECTIONS" --performance-schema=OFF)
}

packages_mysql() {
  local to=$CACHE/packages/mysql-$MYSQL_SUITE
  locked "$to.lock" fetch_debian "$to" "$MYSQL_SUITE" mysql-server-core && serve_debian "$to" mysqld
}
packages_mariadb() {
  local to=$CACHE/packages/mariadb-$MARIADB_SUITE
  locked "$to.lock" fetch_debian "$to" "$MARIADB_SUITE" mariadb-server-core && serve_debian "$to" mariadbd
}
