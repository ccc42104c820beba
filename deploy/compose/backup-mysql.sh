# shellcheck shell=bash disable=SC2016 # scripts in single quotes expand in the container
# MySQL's part of backup.sh. A dump says which server it is of, when it was taken, and where in the binary logs; the logs
# say when each transaction was committed, to the microsecond. So every dump of the last three days can be brought to any
# moment after it. Restores are written to the binary logs as everything is, which therefore stay one unbroken history: a
# dump of before a restore can still be brought to a moment after it.

MYSQL_LOGIN='
  MYSQL_PWD=$(cat "$MYSQL_ROOT_PASSWORD_FILE")
  export MYSQL_PWD
  sql() { mysql -uroot --batch --skip-column-names --execute "$1"; }
'

mysql_dump() {
  quietly mysql "$MYSQL_LOGIN"'
    echo "-- Tallyboard backup: server $(sql "SELECT @@server_uuid")"
    mysqldump -uroot --single-transaction --source-data=2 --hex-blob --set-gtid-purged=OFF --no-tablespaces \
      --max-allowed-packet=1G --databases "$1" | {
      while IFS= read -r line; do
        printf "%s\n" "$line"
        case $line in
          # written when the snapshot has been taken, so it is not older than this
          "-- CHANGE REPLICATION SOURCE TO "*) date -u "+-- Tallyboard backup: taken %s%6N, %Y-%m-%d %H:%M:%S UTC"; break ;;
        esac
      done
      cat
    }' "$DATABASE"
}

mysql_check() {
  local file=$1 until=$2 stamp=$3 begin server taken log
  begin=$(begin_of "$file")
  case $begin in *"-- MySQL dump"*) ;; *) die "$file is no backup of the engine that runs (mysql)" ;; esac
  [ -n "$until" ] || return 0
  server=$(sed -n 's/^-- Tallyboard backup: server //p' <<<"$begin")
  taken=$(sed -n 's/^-- Tallyboard backup: taken \([0-9]*\),.*/\1/p' <<<"$begin")
  log=$(sed -n "s/^-- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='\(.*\)', SOURCE_LOG_POS=\([0-9]*\);.*/\1 \2/p" <<<"$begin")
  { [ -n "$server" ] && [ -n "$taken" ] && [ -n "$log" ]; } || die "$file does not say where in the binary logs it belongs: restore it without UNTIL"
  [ "$until" -ge "$taken" ] || die "the backup is newer than UNTIL: it was taken at $(shown mysql "$taken") UTC; choose an older one"
  MYSQL_CHANGES=$BACKUP_DIR/until-mysql-$stamp.binlog.gz
  # shellcheck disable=SC2086 # two words
  save "$MYSQL_CHANGES" mysql_changes "$server" $log "$until" || die "the changes since the backup cannot be read, so nothing was changed"
}

# mysql_changes SERVER LOG POSITION UNTIL: what was committed to the database from a position in the binary logs to a moment,
# as SQL. The logs are closed first, and none is thrown away meanwhile for its age.
mysql_changes() {
  quietly mysql "$MYSQL_LOGIN"'
    fail() { echo "$*" >&2; exit 1; }
    server=$1 first=$2 position=$3 until=$4
    [ "$(sql "SELECT @@server_uuid")" = "$server" ] || fail "the backup is of another server, whose binary logs are not here"
    purge=$(sql "SELECT @@binlog_expire_logs_auto_purge")
    trap "sql \"SET GLOBAL binlog_expire_logs_auto_purge = $purge\"" EXIT
    sql "SET GLOBAL binlog_expire_logs_auto_purge = OFF; FLUSH BINARY LOGS"
    folder=$(sql "SELECT @@log_bin_basename")
    folder=${folder%/*}
    mapfile -t logs < <(sql "SHOW BINARY LOGS" | cut -f 1)
    needed=() stop=
    for log in "${logs[@]:0:${#logs[@]}-1}"; do # the last one has just begun
      [ ${#needed[@]} -gt 0 ] || [ "$log" = "$first" ] || continue
      from=()
      [ "$log" != "$first" ] || from=(--start-position="$position")
      needed+=("$folder/$log")
      stop=$(mysqlbinlog --base64-output=decode-rows "${from[@]}" "$folder/$log" | awk -v until="$until" "
        /^# at / { at = \$3 }
        /^# immediate_commit_timestamp=/ {
          split(\$2, committed, \"=\")
          if (!found && committed[2] + 0 > until + 0) { found = 1; print at }
        }")
      [ -z "$stop" ] || break
    done
    [ ${#needed[@]} -gt 0 ] || fail "the binary logs since the backup are gone: it needs $first, the oldest here is ${logs[0]}"
    # Repeated transactions are new ones: a server leaves out those whose identifiers it has seen.
    mysqlbinlog --skip-gtids --database="$5" --start-position="$position" ${stop:+--stop-position="$stop"} "${needed[@]}"
  ' "$@" "$DATABASE"
}

mysql_put() {
  local file=$1 until=$2 safety="what was there before is in $BACKUP_DIR/before-restore-mysql-$3.sql.gz"
  { echo "DROP DATABASE IF EXISTS $DATABASE;"; zcat "$file"; } |
    inside mysql "$MYSQL_LOGIN"'mysql -uroot --max-allowed-packet=1G' ||
    die "the restore failed; services are stopped. Repeat it; $safety"
  [ -n "$until" ] || return 0
  # As text, one statement of then takes a third more than it did.
  zcat "$MYSQL_CHANGES" | inside mysql "$MYSQL_LOGIN"'
    packet=$(sql "SELECT @@GLOBAL.max_allowed_packet")
    trap "sql \"SET GLOBAL max_allowed_packet = $packet\"" EXIT
    sql "SET GLOBAL max_allowed_packet = 1073741824"
    mysql -uroot --binary-mode --max-allowed-packet=1G' ||
    die "the changes since the backup could not be repeated; services are stopped. They are in $MYSQL_CHANGES; $safety"
}
