#!/bin/bash
# Runs a standby: a copy of the first server, made once, that receives its log from then on. It takes over by
# `pg_ctl promote` (docs/runbooks/Restore.md), never by itself: two servers that both take money are worse than none.
set -euo pipefail
secrets=/run/secrets/santun
data=${PGDATA:-/var/lib/postgresql/18/docker}
export PGPASSWORD
PGPASSWORD=$(cat "$secrets/replication")
if [ ! -s "$data/PG_VERSION" ]; then
    rm -rf "$data"
    mkdir -p -m 0700 "$data"
    pg_basebackup --host postgres --username replication --pgdata "$data" --wal-method stream --checkpoint fast --write-recovery-conf \
        --slot standby --create-slot || { rm -rf "$data"; exit 1; }
fi
exec postgres -D "$data" -c config_file=/etc/santun/postgresql.conf -c archive_mode=off -c synchronous_standby_names= \
    -c "primary_conninfo=host=postgres user=replication password=$PGPASSWORD application_name=standby" -c primary_slot_name=standby
