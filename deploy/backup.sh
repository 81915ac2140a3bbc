#!/bin/sh
# Dumps the database that PGHOST, PGUSER, PGPASSWORD and PGDATABASE name into a folder (/backups): at once, and again every
# BACKUP_EVERY seconds (86400; 0: never again). The newest BACKUP_KEEP (7) stay. A dump has its name once it is whole.
set -eu
folder=${1:-/backups} every=${BACKUP_EVERY:-86400} keep=${BACKUP_KEEP:-7}
while :; do
    name="$folder/jointoit-$(date -u +%Y%m%dT%H%M%SZ).dump"
    if pg_dump --format=custom --file="$name.part" && pg_restore --list "$name.part" >/dev/null; then
        mv "$name.part" "$name"
        echo "{\"event\": \"backup\", \"level\": \"info\", \"file\": \"$name\"}"
        ls -1 "$folder"/jointoit-*.dump | sort -r | tail -n +"$((keep + 1))" | while read -r old; do rm -f "$old"; done
    else
        rm -f "$name.part"
        echo "{\"event\": \"backup_failed\", \"level\": \"error\"}"
        [ "$every" != 0 ] || exit 1
    fi
    [ "$every" != 0 ] || exit 0
    sleep "$every" & wait $!
done
