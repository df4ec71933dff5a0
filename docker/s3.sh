#!/bin/sh
# The S3 store (SeaweedFS: one process), in its container and without one; files in $S3_FOLDER.
# Its S3 port alone is seen from outside: its others (master, volume, filer) give every file to whoever asks.
set -eu
umask 077
access_key=$(cat "$SECRETS/s3_access_key")
secret_key=$(cat "$SECRETS/s3_secret_key")
if [ -z "$access_key" ] || [ -z "$secret_key" ]; then
  echo "$SECRETS/s3_access_key or s3_secret_key is empty; docker/secrets.sh makes what is missing" >&2
  exit 1
fi
config=$(mktemp)
cat >"$config" <<END
{"identities": [{"name": "mlflow", "actions": ["Admin", "Read", "List", "Tagging", "Write"], "credentials": [
  {"accessKey": "$access_key", "secretKey": "$secret_key"}]}]}
END
exec weed server -dir="$S3_FOLDER" -volume.max=0 -master.volumeSizeLimitMB=1024 -master.telemetry=false \
  -ip=127.0.0.1 -ip.bind=127.0.0.1 -s3 -s3.ip.bind="$BIND" -s3.port="$S3_PORT" -s3.config="$config"
