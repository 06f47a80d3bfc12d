#!/bin/bash
# At the identity provider, as its administrator:
#
#     client NAME       gives a machine a new secret, which comes in on standard input
#     tokens REALM      a new key to sign with; what older keys signed stays good until it ends by itself
#     add NAME          an account, as JSON on standard input; behind it the roles, which must all exist
#     password NAME     a new first password, on standard input; it has to be changed when it is used
#     close NAME        the account opens nothing any more, and whoever is signed in with it is out
set -euo pipefail
kind=${1:?client, tokens, add, password or close} name=${2:?whose}
shift 2
set -a
. /run/secrets/santun/env
set +a
export HOME=/tmp
kcadm=/opt/keycloak/bin/kcadm.sh
trap 'rm -rf /tmp/.keycloak' EXIT
"$kcadm" config credentials --server http://localhost:8080/auth --realm master --user admin --password "$KC_BOOTSTRAP_ADMIN_PASSWORD" > /dev/null
account() {
    local id
    id=$("$kcadm" get users -r santun -q "username=$name" -q exact=true --fields id --format csv --noquotes)
    echo "${id:?there is no account $name}"
}
case $kind in
client)
    id=$("$kcadm" get clients -r santun -q "clientId=$name" --fields id --format csv --noquotes)
    read -r secret
    "$kcadm" update "clients/$id" -r santun -s "secret=$secret"
    ;;
tokens)
    id=$("$kcadm" get "realms/$name" --fields id --format csv --noquotes)
    now=$(date +%s)  # the key of the highest priority signs: the time grows
    "$kcadm" create components -r "$name" -s "name=rsa-$now" -s providerId=rsa-generated -s providerType=org.keycloak.keys.KeyProvider \
        -s "parentId=$id" -s "config.priority=[\"$now\"]" -s 'config.keySize=["2048"]' -s 'config.algorithm=["RS256"]'
    ;;
add)
    for role in "$@"; do
        "$kcadm" get "roles/$role" -r santun > /dev/null 2>&1 || { echo "there is no role $role: see contracts/roles.yaml" >&2; exit 2; }
    done
    "$kcadm" create users -r santun -f -
    "$kcadm" add-roles -r santun --uusername "$name" "${@/#/--rolename=}"
    ;;
password)
    id=$(account)
    "$kcadm" update "users/$id/reset-password" -r santun -n -f -
    ;;
close)
    id=$(account)
    "$kcadm" update "users/$id" -r santun -s enabled=false
    "$kcadm" create "users/$id/logout" -r santun
    ;;
*) echo "there is nothing to do that is called $kind" >&2; exit 2 ;;
esac
