#!/bin/bash
# Brings the whole system back to a moment: ./restore.sh "2026-11-28 09:00:00+07", or ./restore.sh latest
#
# PostgreSQL comes from its backup and its log. Topics may hold what has never happened in it, so they are made anew from the
# outboxes. What the bank has and nobody here remembers: docs/runbooks/Restore.md, before the first new list is paid.
set -euo pipefail
cd "$(dirname "$0")"
until=${1:?a time with its zone, such as "2026-11-28 09:00:00+07", or latest}
compose() { docker compose --profile backup "$@"; }
services="registry disbursement grants notifications"

echo "1/5 everything stops"
compose stop
echo "2/5 PostgreSQL is put back to: $until"
compose run --rm --no-deps --entrypoint restore.sh backup "$until"
echo "3/5 the broker's data are given up and its topics made anew"
compose run --rm --no-deps -T --entrypoint bash kafka -c 'rm -rf /var/lib/kafka/data/*'
compose up --wait postgres kafka
compose run --rm --no-deps -T topics
echo "4/5 what is kept of announced events is announced again"
for service in $services; do compose run --rm --no-deps "$service-relay" "$service" replay --from 2000-01-01; done
echo "5/5 everything starts"
compose up --wait
for service in $services; do compose exec -T "$service" python -m "$service" verify; done
