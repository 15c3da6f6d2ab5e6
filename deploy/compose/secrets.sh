#!/bin/sh
# Draws the passwords and tokens of compose.yaml into secrets/, each once; what is there stays.
# Containers read them as users of their own, so the files are readable and the folder is not.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets
for name in influxdb-password influxdb-token grafana-password; do
  [ -s "secrets/$name" ] && continue
  head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' > "secrets/$name"
  chmod 0444 "secrets/$name"
  printf 'secrets: drew %s\n' "$name" >&2
done
