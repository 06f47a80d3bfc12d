#!/bin/bash
# Gives the realm a new key to sign tokens with. What older keys signed stays good until it ends by itself.
set -euo pipefail
set -a
. /run/secrets/santun/env
set +a
export HOME=/tmp
kcadm=/opt/keycloak/bin/kcadm.sh
"$kcadm" config credentials --server http://localhost:8080/auth --realm master --user admin --password "$KC_BOOTSTRAP_ADMIN_PASSWORD" > /dev/null
realm=$("$kcadm" get realms/santun --fields id --format csv --noquotes)
now=$(date +%s)
# The key of the highest priority signs: the time grows.
"$kcadm" create components -r santun -s "name=rsa-$now" -s providerId=rsa-generated -s providerType=org.keycloak.keys.KeyProvider \
    -s "parentId=$realm" -s "config.priority=[\"$now\"]" -s 'config.keySize=["2048"]' -s 'config.algorithm=["RS256"]'
rm -rf /tmp/.keycloak
