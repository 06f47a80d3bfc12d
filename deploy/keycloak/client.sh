#!/bin/bash
# Gives a machine a new secret at the identity provider; it comes in on standard input.
set -euo pipefail
name=${1:?client}
set -a
. /run/secrets/santun/env
set +a
export HOME=/tmp
kcadm=/opt/keycloak/bin/kcadm.sh
"$kcadm" config credentials --server http://localhost:8080/auth --realm master --user admin --password "$KC_BOOTSTRAP_ADMIN_PASSWORD" > /dev/null
id=$("$kcadm" get clients -r santun -q "clientId=$name" --fields id --format csv --noquotes)
read -r secret
"$kcadm" update "clients/$id" -r santun -s "secret=$secret"
rm -rf /tmp/.keycloak
