#!/bin/bash
# Gives secrets anew, one kind at a time, while the system runs:
#
#     ./rotate.sh database SERVICE    passwords of the owner and the application role
#     ./rotate.sh fields SERVICE      a new key for what is encrypted from now on; older ones still open what they sealed
#     ./rotate.sh cursors SERVICE     the signature of list cursors; callers in the middle of a list begin it again
#     ./rotate.sh kafka ACCOUNT       the password of a service or partner at the broker
#     ./rotate.sh client CLIENT       the secret of a machine at the identity provider
#
# Processes that use it are replaced one after the other; whoever calls meanwhile gets 503 with Retry-After at worst.
set -euo pipefail
cd "$(dirname "$0")"
kind=${1:?what: database, fields, cursors, kafka or client} name=${2:?whose}
new() { python3 -c 'import secrets; print(secrets.token_urlsafe(32))'; }
put() {  # name in source/, its new text from standard input
    docker compose run --rm --no-deps -T --entrypoint python prepare -c \
        "import os, sys; f = '/secrets/source/$1'; open(f + '.new', 'w').write(sys.stdin.read().strip()); os.chmod(f + '.new', 0o400); os.replace(f + '.new', f)"
}
get() { docker compose run --rm --no-deps -T --entrypoint python prepare -c "print(open('/secrets/source/$1').read())"; }
hand_out() { docker compose run --rm --no-deps -T prepare; }
replace() { for process in "$@"; do docker compose up --detach --no-deps --force-recreate --wait "$process"; done; }

case $kind in
database)
    for part in owner app; do new | put "${name}_$part"; done
    hand_out
    docker compose run --rm --no-deps -T databases
    replace "$name-relay" "$name-work" "$name"
    ;;
fields)
    get "${name}_field_keys" | python3 -c 'import secrets, sys
ring = sys.stdin.read().strip()
print(f"{ring},{int(ring.rpartition(chr(44))[2].partition(chr(58))[0]) + 1}:{secrets.token_hex(32)}")' | put "${name}_field_keys"
    hand_out
    replace "$name-relay" "$name-work" "$name"
    ;;
cursors)
    new | put "${name}_cursors"
    hand_out
    replace "$name"
    ;;
kafka)
    new | put "kafka_$name"
    hand_out
    docker compose exec -T kafka bash /accounts.sh "$name" < <(get "kafka_$name")
    if docker compose config --services | grep -qx "$name"; then replace "$name-relay" "$name-work"; fi
    ;;
client)
    new | put "client_$name"
    hand_out
    docker compose exec -T keycloak bash /client.sh "$name" < <(get "client_$name")
    service=${name#santun-}
    if docker compose config --services | grep -qx "$service"; then replace "$service-work" "$service"; fi
    ;;
*) echo "there is no secret of the kind $kind" >&2; exit 2 ;;
esac
echo "done: $kind of $name"
