#!/bin/bash
# Brings another image in while people work:   ./upgrade.sh santun:0.2.0
# and back to the one before when it does harm: ./upgrade.sh --back santun:0.1.0
#
# First the tables grow (migrations only add, so the release before goes on working on them; going back leaves them as they
# are). Then each process is replaced: a new one starts beside the old one, takes over when it is ready, and the old one ends
# its work. Write the image into .env afterwards (SANTUN_IMAGE).
set -euo pipefail
cd "$(dirname "$0")"
back=false
if [ "${1:-}" = --back ]; then back=true; shift; fi
export SANTUN_IMAGE=${1:?an image, such as santun:0.2.0}
services="registry disbursement grants notifications"

. ./beside.sh

hand_out
if ! $back; then
    for service in $services; do docker compose run --rm --no-deps -T "migrate-$service"; done
    docker compose run --rm --no-deps -T topics
fi
for service in $services; do
    echo "$service"
    beside "$service"
    # One name in the group of readers and one leading relay at a time: these are replaced, what they do waits some seconds.
    docker compose up --detach --no-deps --no-build --force-recreate --wait "$service-relay" "$service-work"
done
echo "all processes run $SANTUN_IMAGE"
