#!/bin/bash
# Read by rotate.sh, secret.sh and upgrade.sh.
set -euo pipefail
hand_out() { docker compose run --rm --no-deps -T prepare; }
replace() { for process in "$@"; do docker compose up --detach --no-deps --force-recreate --wait "$process"; done; }
beside() {  # a new process of a service beside the old one, then the old one ends its work: callers notice nothing
    local old
    old=$(docker compose ps --quiet "$1")
    docker compose up --detach --no-deps --no-build --no-recreate --scale "$1=2" --wait "$1"
    docker stop --time 40 $old > /dev/null
    docker rm $old > /dev/null
}
