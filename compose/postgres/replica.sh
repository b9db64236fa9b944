#!/usr/bin/env bash
# Copies the data of the server $PRIMARY where there is none yet, and then runs as its streaming replica. As user postgres.
set -euo pipefail
SECRETS=${SECRETS:-/run/secrets}

# primary_conninfo names this file, so that a new password needs no new copy. Colons and backslashes would have to be escaped.
passfile=$(dirname "$PGDATA")/replication.pgpass
(umask 077 && mkdir -p "$(dirname "$PGDATA")" &&
    printf '*:*:*:replicator:%s\n' "$(cat "$SECRETS/replication_password")" >"$passfile")

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # A copy that was broken off never becomes the data directory.
    rm -rf "$PGDATA" "$PGDATA.copy"
    pg_basebackup --pgdata "$PGDATA.copy" --checkpoint fast --wal-method stream --slot replica --write-recovery-conf \
        --dbname "host=$PRIMARY port=${PRIMARY_PORT:-5432} user=replicator passfile=$passfile application_name=$HOSTNAME"
    mv "$PGDATA.copy" "$PGDATA"
fi
exec docker-entrypoint.sh "$@"
