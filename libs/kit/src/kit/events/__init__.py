"""The event side of the kit: envelope, schemas, outbox and relay, inbox and consumer, parking."""
