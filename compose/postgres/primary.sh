#!/usr/bin/env bash
# Run by the image once, in a new data directory: the login of the application, that of replicas, and the replica's slot.
# The passwords are read by psql itself, so that no list of processes shows them.
set -euo pipefail
export SECRETS=${SECRETS:-/run/secrets}

psql --no-psqlrc -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set app_password `cat "$SECRETS/app_password"`
\set replication_password `cat "$SECRETS/replication_password"`
\set database `echo "$POSTGRES_DB"`
create role app login password :'app_password';
-- Lets the router see at once which primary a replica follows.
grant pg_monitor to app;
alter database :"database" owner to app;
create role replicator login replication password :'replication_password';
select pg_create_physical_replication_slot('replica');
SQL

echo 'host replication replicator all scram-sha-256' >>"$PGDATA/pg_hba.conf"
