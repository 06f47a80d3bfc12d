#!/bin/bash
# Keeps backups for as long as it runs: one at once, then one every SANTUN_BACKUP_SECONDS (a day); whole each week, else what
# changed. Says when the last one ended, for the alarm BackupOld. With the word `once`: one backup, then an end.
set -euo pipefail
every=${SANTUN_BACKUP_SECONDS:-86400}

backup() {
    pgbackrest stanza-create
    touch /var/lib/pgbackrest/kept
    pgbackrest check
    if [ -z "$(find /var/lib/pgbackrest/whole -mtime -7 2>/dev/null)" ]; then
        pgbackrest backup --type=full
        touch /var/lib/pgbackrest/whole
    else
        pgbackrest backup --type=diff
    fi
    printf '# TYPE backup_last_success_seconds gauge\nbackup_last_success_seconds %s\n' "$(date +%s)" > /var/lib/backup-status/.new
    mv /var/lib/backup-status/.new /var/lib/backup-status/metrics
    echo "backup ended well"
}

if [ "${1:-}" = once ]; then backup; exit; fi
while true; do
    # A process of its own: bash lets a function go on after a failure when somebody asks how it ended.
    if "$0" once; then pause=$every; else
        echo "backup failed; it is tried again in five minutes" >&2
        pause=300
    fi
    sleep "$pause" &
    wait $!
done
