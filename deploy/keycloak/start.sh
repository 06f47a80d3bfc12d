#!/bin/bash
# Starts the identity provider with the secrets that its realm's machines are known by.
set -euo pipefail
set -a
. /run/secrets/santun/env
set +a
exec /opt/keycloak/bin/kc.sh start --import-realm
