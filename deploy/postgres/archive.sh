#!/bin/sh
# PostgreSQL's archive_command: archive.sh PATH NAME puts a finished part of the write-ahead log, compressed, into a folder of
# $ARCHIVE_DIR that is this server's alone: another server, as one made anew after a loss, has parts of the same names. It
# succeeds only when the copy is on disk, and never changes one that is there: PostgreSQL keeps the part and tries again
# otherwise. What is older than ARCHIVE_DAYS goes, as MySQL's binary logs do, except what tells one timeline from another.
set -eu
# The server's identifier is what its control file begins with; PostgreSQL runs this in its data folder.
folder=$ARCHIVE_DIR/$(od -A n -t u8 -N 8 global/pg_control | tr -d ' ')
to=$folder/$2.gz

if [ -f "$to" ]; then
  gunzip <"$to" | cmp -s - "$1" # after a crash PostgreSQL may bring the same once more; anything else is refused
  exit
fi
if [ ! -d "$folder" ]; then
  mkdir "$folder"
  sync "$ARCHIVE_DIR"
fi
gzip <"$1" >"$to.part"
sync "$to.part"
mv "$to.part" "$to"
sync "$folder"
find "$ARCHIVE_DIR" -type f -name '*.gz*' ! -name '*.history.gz' -mmin "+$((${ARCHIVE_DAYS:-3} * 24 * 60))" -exec rm -f {} +
