#!/bin/bash
# Brings a secret that others chose, before the first start or while the system runs; it comes in on standard input:
#
#     cat privkey.pem fullchain.pem | ./secret.sh tls       key, certificate and its chain, PEM
#     ./secret.sh smtp_password < password.txt              also: provider_token, receipt_secret
set -euo pipefail
cd "$(dirname "$0")"
name=${1:?which: tls, smtp_password, provider_token or receipt_secret}
. ./beside.sh
docker compose run --rm --no-deps -T prepare give "$name"
if [ -n "$(docker compose ps --quiet proxy)" ]; then
    hand_out
    case $name in
    tls) docker compose exec -T proxy nginx -s reload ;;  # partners' Kafka shows it after its next start
    receipt_secret) replace notifications-work && beside notifications ;;
    *) replace notifications-work ;;
    esac
fi
echo "done: $name"
