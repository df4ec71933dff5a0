#!/bin/sh
# Bring the tables of runs and of logins to the schema of the installed MLflow; stop the server and back up before.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=docker/environment.sh
. "$here/environment.sh"
with_database_and_artifacts
mlflow db upgrade postgresql+psycopg://
python -m mlflow.server.auth db upgrade --url postgresql+psycopg://
