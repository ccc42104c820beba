# shellcheck shell=bash disable=SC2016 # scripts in single quotes expand in the container
# MySQL's part of backup.sh. A dump says which server it is of, when it was taken, and where in the binary logs; the logs
# say when each transaction was committed, to the microsecond. So every dump of the last three days can be brought to any
# moment after it. Restores are written to the binary logs as everything is, which therefore stay one unbroken history: a
# dump of before a restore can still be brought to a moment after it.
#
# What came after the dump the server repeats by itself, from copies of its binary logs, as a replica would: MySQL's image has
# no mysqlbinlog. (gtid_mode is OFF for that: a server leaves out a transaction whose global identifier it has seen.)

MYSQL_LOGIN='
  MYSQL_PWD=$(cat "$MYSQL_ROOT_PASSWORD_FILE")
  export MYSQL_PWD
  sql() { mysql -uroot --quick --batch --skip-column-names --execute "$1"; }
  fail() { echo "$*" >&2; exit 1; }
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

# mysql_there: whether there is a database.
mysql_there() { quietly mysql "$MYSQL_LOGIN"'sql "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = \"$1\""' "$DATABASE"; }

mysql_check() {
  local file=$1 until=$2 begin server taken log
  begin=$(begin_of "$file")
  case $begin in *"-- MySQL dump"*) ;; *) die "$file is no backup of the engine that runs (mysql)" ;; esac
  [ -n "$until" ] || return 0
  server=$(sed -n 's/^-- Tallyboard backup: server //p' <<<"$begin")
  taken=$(sed -n 's/^-- Tallyboard backup: taken \([0-9]*\),.*/\1/p' <<<"$begin")
  log=$(sed -n "s/^-- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='\(.*\)', SOURCE_LOG_POS=\([0-9]*\);.*/\1 \2/p" <<<"$begin")
  { [ -n "$server" ] && [ -n "$taken" ] && [ -n "$log" ]; } || die "$file does not say where in the binary logs it belongs: restore it without UNTIL"
  [ "$until" -ge "$taken" ] || die "the backup is newer than UNTIL: it was taken at $(shown mysql "$taken") UTC; choose an older one"
  # shellcheck disable=SC2086 # two words
  MYSQL_CHANGES=$(mysql_changes "$server" $log "$until") || die "the changes since the backup cannot be read, so nothing was changed"
}

# mysql_changes SERVER LOG POSITION UNTIL: what was committed from a position in the binary logs to a moment, as four words:
# the first log and where to begin in it, the last log and where to end in it. The logs are closed first.
mysql_changes() {
  quietly mysql "$MYSQL_LOGIN"'
    server=$1 first=$2 position=$3 until=$4
    [ "$(sql "SELECT @@server_uuid")" = "$server" ] || fail "the backup is of another server, whose binary logs are not here"
    sql "FLUSH BINARY LOGS"
    folder=$(sql "SELECT @@log_bin_basename")
    folder=${folder%/*}
    # committed LOG POSITION: when the transaction that begins there was, in microseconds since 1970: in its first event,
    # seven bytes after header (19 bytes), flags, identifier, number and logical clock; the highest bit is a flag.
    committed() {
      local b
      read -r -a b < <(od -A n -v -t u1 -j "$(($2 + 61))" -N 7 "$folder/$1")
      [ ${#b[@]} -eq 7 ] || return 1
      echo $((b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24 | b[4] << 32 | b[5] << 40 | (b[6] & 127) << 48))
    }
    mapfile -t logs < <(sql "SHOW BINARY LOGS" | cut -f 1)
    last= end= from="FROM $position"
    for log in "${logs[@]:0:${#logs[@]}-1}"; do # the last one has just begun
      [ -n "$last" ] || [ "$log" = "$first" ] || continue
      last=$log end=$(stat -c %s "$folder/$log")
      events=$(sql "SHOW BINLOG EVENTS IN \"$log\" $from" | sed -n -E "s/^[^\t]*\t([0-9]+)\t(Anonymous_Gtid|Gtid[a-z_A-Z]*)\t.*/\1 \2/p")
      from=
      case $events in *" Gtid"*) fail "$log was written with gtid_mode on: choose a newer backup" ;; esac
      events=${events// Anonymous_Gtid/}
      mapfile -t at <<<"$events"
      [ -n "$events" ] || continue
      low=0 high=${#at[@]} # the first that is later, by halves: they are in the order of their commits
      while [ "$low" -lt "$high" ]; do
        middle=$(((low + high) / 2))
        time=$(committed "$log" "${at[middle]}") || fail "$log cannot be read"
        if [ "$time" -gt "$until" ]; then high=$middle; else low=$((middle + 1)); fi
      done
      if [ "$low" -lt ${#at[@]} ]; then end=${at[low]}; break; fi
    done
    [ -n "$last" ] || fail "the binary logs since the backup are gone: it needs $first, the oldest here is ${logs[0]}"
    echo "$first $position $last $end"' "$@"
}

# mysql_stage FIRST POSITION LAST END: copies of these logs, up to the end, where a replica has what it is to repeat.
mysql_stage() {
  quietly mysql "$MYSQL_LOGIN$MYSQL_REPLICA"'
    first=$1 last=$3 end=$4
    forget
    folder=$(sql "SELECT @@log_bin_basename")
    folder=${folder%/*}
    n=0
    for log in $(sql "SHOW BINARY LOGS" | cut -f 1); do
      [ "$n" -gt 0 ] || [ "$log" = "$first" ] || continue
      printf -v copy "%s.%06d" "$relay" "$((n += 1))"
      if [ "$log" = "$last" ]; then head -c "$end" "$folder/$log"; else cat "$folder/$log"; fi >"$copy"
      echo "$copy" >>"$relay.index"
      [ "$log" != "$last" ] || exit 0
    done
    fail "the binary logs since the backup are gone"' "$@"
}

# mysql_repeat FIRST POSITION LAST END: has the server repeat what was staged. Its own transactions a server leaves out, so it
# goes by another number meanwhile.
mysql_repeat() {
  quietly mysql "$MYSQL_LOGIN$MYSQL_REPLICA"'
    number=$(sql "SELECT @@GLOBAL.server_id")
    trap "sql \"SET GLOBAL server_id = $number\"; forget" EXIT
    sql "SET GLOBAL server_id = $((RANDOM * 32768 + RANDOM + 1000))"
    copies=("$relay".0*)
    end="${copies[-1]##*/}"
    sql "CHANGE REPLICATION SOURCE TO SOURCE_HOST = \"none.invalid\", RELAY_LOG_FILE = \"${copies[0]##*/}\", RELAY_LOG_POS = $2 FOR CHANNEL \"restore\";
      CHANGE REPLICATION FILTER REPLICATE_DO_DB = ($5) FOR CHANNEL \"restore\";
      START REPLICA SQL_THREAD UNTIL RELAY_LOG_FILE = \"$end\", RELAY_LOG_POS = $4 FOR CHANNEL \"restore\""
    # It ends by itself, or, if nothing follows on the end, waits for more.
    while :; do
      status=$(mysql -uroot --vertical --execute "SHOW REPLICA STATUS FOR CHANNEL \"restore\"")
      field() { sed -n "s/^ *$1: //p" <<<"$status"; }
      [ "$(field Replica_SQL_Running)" = Yes ] || break
      case $(field Replica_SQL_Running_State) in *"has read all relay log"*) exit 0 ;; esac
      sleep 0.2
    done
    [ "$(field Last_SQL_Errno)" = 0 ] || fail "$(field Last_SQL_Error)"
    [[ ! "$(field Relay_Log_File)" < "$end" ]] || fail "it ended too early, in $(field Relay_Log_File)"' "$@" "$DATABASE"
}

# MYSQL_REPLICA: forget ends the replica and removes what it had, also what an earlier container left, which had another name.
MYSQL_REPLICA='
  relay=$(sql "SELECT @@relay_log_basename")-restore
  forget() {
    sql "STOP REPLICA FOR CHANNEL \"restore\"" 2>/dev/null || true
    sql "RESET REPLICA ALL FOR CHANNEL \"restore\"" 2>/dev/null || true
    rm -f "${relay%/*}"/*-restore.0* "${relay%/*}"/*-restore.index
  }
'

mysql_put() {
  local file=$1 until=$2 saved=$3
  # shellcheck disable=SC2086 # four words
  if ! { [ -z "$until" ] || mysql_stage $MYSQL_CHANGES; }; then
    resume
    die "the changes since the backup could not be copied, so nothing was changed"
  fi
  { echo "DROP DATABASE IF EXISTS $DATABASE;"; zcat "$file"; } |
    inside mysql "$MYSQL_LOGIN"'mysql -uroot --max-allowed-packet=1G' ||
    die "the restore failed; services are stopped. Repeat it; $saved"
  # shellcheck disable=SC2086 # four words
  [ -z "$until" ] || mysql_repeat $MYSQL_CHANGES ||
    die "the changes since the backup could not be repeated; services are stopped. Repeat it; $saved"
}
