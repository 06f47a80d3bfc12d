#!/bin/bash
# Puts the data back as they were at a time (ISO 8601, with its zone) or, with `latest`, at the end of the kept log. Runs while
# PostgreSQL does not; deploy/restore.sh calls it and does what has to follow.
set -euo pipefail
until=${1:?a time, or latest}
mkdir -p -m 0700 /var/lib/postgresql/18/docker
if [ "$until" = latest ]; then
    pgbackrest restore --log-level-console=info
else
    pgbackrest restore --log-level-console=info --type=time "--target=$until" --target-action=promote
fi
