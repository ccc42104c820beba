#!/bin/sh
# PostgreSQL's archive_command: archive.sh PATH NAME puts a finished part of the write-ahead log, compressed, into
# $ARCHIVE_DIR. It succeeds only when the copy is on disk, and never changes one that is there: PostgreSQL keeps the part
# and tries again otherwise. What is older than ARCHIVE_DAYS goes, as MySQL's binary logs do.
set -eu
to=$ARCHIVE_DIR/$2.gz

if [ -f "$to" ]; then
  gunzip <"$to" | cmp -s - "$1" # after a crash PostgreSQL may bring the same once more; anything else is refused
  exit
fi
gzip <"$1" >"$to.part"
sync "$to.part"
mv "$to.part" "$to"
sync "$ARCHIVE_DIR"
find "$ARCHIVE_DIR" -type f -name '*.gz*' -mmin "+$((${ARCHIVE_DAYS:-3} * 24 * 60))" -exec rm -f {} +
