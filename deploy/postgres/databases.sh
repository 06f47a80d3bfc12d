#!/bin/bash
# Makes or renews databases and roles: for each service one database, an owner that migrates, and an application role that
# cannot. Safe to repeat; passwords become those of the secrets, which is how they are rotated.
set -euo pipefail
secrets=/run/secrets/santun
export PGHOST=postgres PGUSER=postgres PGPASSWORD
PGPASSWORD=$(cat "$secrets/superuser")
export PGOPTIONS="-c synchronous_commit=local"  # a standby that does not exist yet is made with the role that this makes

role() {  # name, file of its password
    psql -qX -v ON_ERROR_STOP=1 -v role="$1" -v password="$(cat "$secrets/$2")" <<'SQL'
SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
SQL
}

database() {  # name, owner, who may connect besides
    psql -qX -v ON_ERROR_STOP=1 -v name="$1" -v owner="$2" -v app="$3" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"name" TO :"app";
\connect :"name"
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SQL
}

for service in registry disbursement grants notifications; do
    role "${service}_owner" "${service}_owner"
    role "${service}_app" "${service}_app"
    database "$service" "${service}_owner" "${service}_app"
done
role replication replication
psql -qX -c 'ALTER ROLE replication REPLICATION'
role keycloak keycloak
database keycloak keycloak keycloak
echo "databases and roles are in place"
