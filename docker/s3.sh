#!/bin/sh
# The S3 store (SeaweedFS: one process), in its container and without one; files in $S3_FOLDER.
set -eu
umask 077
config=$(mktemp)
cat >"$config" <<END
{"identities": [{"name": "mlflow", "actions": ["Admin", "Read", "List", "Tagging", "Write"], "credentials": [
  {"accessKey": "$(cat "$SECRETS/s3_access_key")", "secretKey": "$(cat "$SECRETS/s3_secret_key")"}]}]}
END
exec weed server -dir="$S3_FOLDER" -volume.max=0 -master.volumeSizeLimitMB=1024 -ip.bind="$BIND" \
  -s3 -s3.port="$S3_PORT" -s3.config="$config"
