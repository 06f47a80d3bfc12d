#!/bin/bash
# Starts a broker: the settings beside this file, its own place in the cluster, and its secrets. The first start formats the
# log with the accounts of all who may come (SCRAM); later ones are made and changed by accounts.sh.
set -euo pipefail
settings=/tmp/server.properties
secrets=/run/secrets/santun
cat /etc/santun/server.properties "$secrets/server.properties" > "$settings"
printf '%s\n' "node.id=${KAFKA_NODE:-1}" "controller.quorum.voters=${KAFKA_VOTERS:-1@kafka:9093}" \
    "advertised.listeners=INTERNAL://${KAFKA_NAME:-kafka}:9092" "default.replication.factor=${KAFKA_REPLICAS:-1}" \
    "offsets.topic.replication.factor=${KAFKA_REPLICAS:-1}" "transaction.state.log.replication.factor=${KAFKA_REPLICAS:-1}" \
    "min.insync.replicas=${KAFKA_IN_SYNC:-1}" "transaction.state.log.min.isr=${KAFKA_IN_SYNC:-1}" >> "$settings"
if [ -n "${KAFKA_PARTNERS:-}" ]; then  # a name and a port under which partners reach this broker from outside
    printf '%s\n' "listeners=INTERNAL://:9092,CONTROLLER://:9093,PARTNERS://:9094" \
        "advertised.listeners=INTERNAL://${KAFKA_NAME:-kafka}:9092,PARTNERS://$KAFKA_PARTNERS" \
        "listener.security.protocol.map=INTERNAL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,PARTNERS:SASL_SSL" \
        "listener.name.partners.sasl.enabled.mechanisms=SCRAM-SHA-512" \
        "listener.name.partners.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;" \
        "listener.name.partners.ssl.keystore.type=PEM" \
        "listener.name.partners.ssl.keystore.location=$secrets/partners.pem" >> "$settings"
fi
accounts=()
while read -r account; do accounts+=(--add-scram "$account"); done < "$secrets/scram"
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id "$(cat "$secrets/cluster")" --config "$settings" "${accounts[@]}"
exec /opt/kafka/bin/kafka-server-start.sh "$settings"
