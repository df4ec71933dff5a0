#!/bin/sh
# The MLflow server, in its container and without one: logins, artifacts through it, one port.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=docker/environment.sh
. "$here/environment.sh"
with_database_and_artifacts
MLFLOW_AUTH_ADMIN_PASSWORD=$(secret admin_password)
MLFLOW_FLASK_SERVER_SECRET_KEY=$(secret flask_secret_key)
export MLFLOW_AUTH_ADMIN_PASSWORD MLFLOW_FLASK_SERVER_SECRET_KEY
export MLFLOW_AUTH_CONFIG_PATH="$here/basic_auth.ini"
export MLFLOW_S3_ENDPOINT_URL="$S3_ENDPOINT"
export MLFLOW_DISABLE_TELEMETRY=true
# Without it a model version may name any place that the server's own S3 keys open: the runs of others.
export MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX='^(runs|models|mlflow-artifacts):/'
# Without it a user may place an experiment in a folder of another's run, or on this disk, and upload files there.
export MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH=0

python "$here/artifacts.py" create
# The address of the database is in the variables PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD.
exec mlflow server --app-name basic-auth --host "${BIND-$SERVER_ADDRESS}" --port "$SERVER_PORT" \
  --backend-store-uri postgresql+psycopg:// --serve-artifacts --artifacts-destination "s3://$S3_BUCKET/artifacts"
