#!/usr/bin/env bash
# Makes the passwords that compose.yaml mounts as files, each one that is not there yet. No password is printed.
set -euo pipefail
cd "$(dirname "$0")"
# Nobody else on this machine gets through the directory; the users inside the containers, to whom the files are mounted one
# by one, can read them.
mkdir -p secrets
chmod 700 secrets
for name in postgres_password app_password replication_password grafana_password; do
    file=secrets/$name
    if [ ! -s "$file" ]; then
        od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$file"
        chmod 644 "$file"
        echo "made $file"
    fi
done
