#!/bin/bash
# Accounts of the people who work with the system:
#
#     ./person.sh add NAME role=ROLE... region=CODE... [unit=ID] [person_id=ID]
#     ./person.sh password NAME     a new first password, for somebody who lost theirs
#     ./person.sh close NAME        somebody leaves
#
# The first password is printed once; whoever signs in with it chooses another. Roles are those of contracts/roles.yaml; a
# region is its Kemendagri code (32.76 the whole city, 32.76.03.1001 one village). `unit` is the id of the institution that
# somebody works for, `person_id` who they are in the registry: nobody decides about themselves. NAME stands in the audit
# trail for ever, so it is never given to somebody else.
set -euo pipefail
cd "$(dirname "$0")"
verb=${1:?what: add, password or close} name=${2:?whose}
shift 2
wrong() { echo "$1" >&2; exit 2; }
[[ $name =~ ^[a-z][a-z0-9._-]{2,39}$ && ! $name =~ ^(santun-|service-account-) ]] ||
    wrong "NAME has 3 to 40 small letters, digits, dots or dashes, begins with a letter, and is no name of a machine"
first=$(LC_ALL=C tr -dc 'a-km-np-z2-9' < <(head -c 4096 /dev/urandom) | head -c 20) || true
credential="{\"type\": \"password\", \"temporary\": true, \"value\": \"$first\"}"
admin() { docker compose exec -T keycloak bash /admin.sh "$@"; }

case $verb in
add)
    roles=() regions=() ids=''
    for word in "$@"; do
        value=${word#*=}
        case $word in
        role=*) [[ $value =~ ^[a-z_]+$ ]] || wrong "$value is no role"; roles+=("$value") ;;
        region=*) [[ $value =~ ^[1-9][0-9](\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$ ]] || wrong "$value is no code of a region"; regions+=("\"$value\"") ;;
        unit=* | person_id=*) [[ $value =~ ^[0-9a-f-]{36}$ ]] || wrong "$value is no id"; ids+=", \"${word%%=*}\": [\"$value\"]" ;;
        *) wrong "$word: what is that? role=, region=, unit= or person_id=" ;;
        esac
    done
    ((${#roles[@]})) || wrong "which role? role=..."
    ((${#regions[@]})) || wrong "in which region? region=..."
    admin add "$name" "${roles[@]}" <<< "{\"username\": \"$name\", \"enabled\": true, \"credentials\": [$credential],
        \"attributes\": {\"regions\": [$(IFS=,; echo "${regions[*]}")]$ids}}"
    ;;
password) admin password "$name" <<< "$credential" ;;
close) admin close "$name"; echo "closed: $name"; exit ;;
*) wrong "what: add, password or close" ;;
esac
echo "$name, for the first time: $first"
