#!/bin/bash
# At the identity provider, as its administrator: `client NAME` gives a machine a new secret (it comes in on standard input),
# `tokens REALM` a new key to sign with; what older keys signed stays good until it ends by itself.
set -euo pipefail
kind=${1:?client or tokens} name=${2:?whose}
set -a
. /run/secrets/santun/env
set +a
export HOME=/tmp
kcadm=/opt/keycloak/bin/kcadm.sh
trap 'rm -rf /tmp/.keycloak' EXIT
"$kcadm" config credentials --server http://localhost:8080/auth --realm master --user admin --password "$KC_BOOTSTRAP_ADMIN_PASSWORD" > /dev/null
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
esac
