# shellcheck shell=bash disable=SC2034 # variables are for servers.sh and its other parts
# Programs of an engine, sourced by servers.sh: for tests that run a server of their own and save it.

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
