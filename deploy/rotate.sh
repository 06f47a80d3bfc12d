#!/bin/bash
# Gives secrets anew, one kind at a time, while the system runs:
#
#     ./rotate.sh database SERVICE    passwords of the owner and the application role
#     ./rotate.sh fields SERVICE      a new key for what is encrypted from now on; older ones still open what they sealed
#     ./rotate.sh cursors SERVICE     the signature of list cursors; callers in the middle of a list begin it again
#     ./rotate.sh kafka ACCOUNT       the password of a service or partner at the broker
#     ./rotate.sh client CLIENT       the secret of a machine at the identity provider
#     ./rotate.sh tokens santun       the key that signs tokens; those that are out stay good until they end
#
# Processes that use it are replaced one after the other, those that answer callers by one beside them; whoever calls meanwhile
# gets 503 with Retry-After at worst.
set -euo pipefail
cd "$(dirname "$0")"
kind=${1:?what: database, fields, cursors, kafka, client or tokens} name=${2:?whose}
secret() { docker compose run --rm --no-deps -T --entrypoint python prepare -c "$@"; }
renew() {  # what stands in source/ under the name, made anew: a random text; `ring`: one more key that opens; `turn`: it seals
    secret '
import os, secrets, sys
path, how = f"/secrets/source/{sys.argv[1]}", sys.argv[2:]
if how == ["ring"]:
    old = open(path).read().strip()
    newest = max(int(key.partition(":")[0]) for key in old.split(","))
    text = f"{newest + 1}:{secrets.token_hex(32)},{old}"
elif how == ["turn"]:
    first, _, rest = open(path).read().strip().partition(",")
    text = f"{rest},{first}"
else:
    text = secrets.token_urlsafe(32)
with open(path + ".new", "w") as file:
    file.write(text)
os.chmod(path + ".new", 0o400)
os.replace(path + ".new", path)' "$@"
}
get() { secret 'import sys; print(open(f"/secrets/source/{sys.argv[1]}").read())' "$1"; }
. ./beside.sh

case $kind in
database)
    for part in owner app; do renew "${name}_$part"; done
    hand_out
    docker compose run --rm --no-deps -T databases
    replace "$name-relay" "$name-work"
    beside "$name"
    ;;
fields)
    # Everybody can open what the new key seals before anybody seals with it.
    for step in ring turn; do
        renew "${name}_field_keys" $step
        hand_out
        replace "$name-relay" "$name-work"
        beside "$name"
    done
    ;;
cursors)
    renew "${name}_cursors"
    hand_out
    beside "$name"
    ;;
kafka)
    renew "kafka_$name"
    hand_out
    docker compose exec -T kafka bash /accounts.sh "$name" < <(get "kafka_$name")
    if docker compose config --services | grep -qx "$name"; then replace "$name-relay" "$name-work"; fi
    ;;
client)
    renew "client_$name"
    hand_out
    docker compose exec -T keycloak bash /admin.sh client "$name" < <(get "client_$name")
    service=${name#santun-}
    if docker compose config --services | grep -qx "$service"; then replace "$service-work" && beside "$service"; fi
    ;;
tokens) docker compose exec -T keycloak bash /admin.sh tokens "$name" ;;
*) echo "there is no secret of the kind $kind" >&2; exit 2 ;;
esac
echo "done: $kind of $name"
