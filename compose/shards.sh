#!/usr/bin/env bash
# Prints the variables of an application on this many shards, each with a replica: ./shards.sh 6 >router.env
# The hosts are s0, s0-replica, s1 and so on, unless HOST and REPLICA say otherwise, with %d for the number of the shard.
# An empty REPLICA is none.
set -euo pipefail
count=${1:-}
if [[ ! $count =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: [HOST=s%d] [REPLICA=s%d-replica] [DATABASE=app] [LOGIN=app] [PASSWORD_FILE=/run/secrets/app_password] $0 SHARDS" >&2
    exit 2
fi
host=${HOST:-s%d} replica=${REPLICA-s%d-replica} database=${DATABASE:-app} login=${LOGIN:-app}
password_file=${PASSWORD_FILE:-/run/secrets/app_password}
for ((i = 0; i < count; i++)); do
    shard=REACTIVEROUTER_SHARDS_S$i
    echo "${shard}_URL=r2dbc:postgresql://$login@${host//%d/$i}:5432/$database"
    if [ -n "$replica" ]; then
        echo "${shard}_REPLICAS_0=r2dbc:postgresql://$login@${replica//%d/$i}:5432/$database"
    fi
    echo "${shard}_PASSWORDFILE=${password_file//%d/$i}"
done
