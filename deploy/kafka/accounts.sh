#!/bin/bash
# Makes an account at the broker or gives it a new password, which comes in on standard input.
set -euo pipefail
name=${1:?account}
secrets=/run/secrets/santun
admin=$(sed -n 's/^SCRAM-SHA-512=\[name=admin,password=\(.*\)\]$/\1/p' "$secrets/scram")
umask 077
printf '%s\n' security.protocol=SASL_PLAINTEXT sasl.mechanism=SCRAM-SHA-512 \
    "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"admin\" password=\"$admin\";" > /tmp/admin.properties
read -r password
# The tool by its class: that is the same wherever Kafka comes from.
/opt/kafka/bin/kafka-run-class.sh kafka.admin.ConfigCommand --bootstrap-server kafka:9092 --command-config /tmp/admin.properties --alter \
    --entity-type users --entity-name "$name" --add-config "SCRAM-SHA-512=[password=$password]"
rm -f /tmp/admin.properties
