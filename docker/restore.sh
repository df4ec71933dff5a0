#!/usr/bin/env bash
# restore.sh BACKUP: put a backup into a service without runs; start the MLflow server anew afterwards.
# Each database changes only once its whole dump is read, so what failed half-way can be typed again.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=docker/environment.sh
. "$here/environment.sh"
with_database_and_artifacts
backup=$(realpath -e "${1:?restore.sh BACKUP}")

fail() {
  echo "$1" >&2
  exit 1
}

restore_database() { # DUMP DATABASE OWNER
  local sql=(psql -XqAt -v ON_ERROR_STOP=1 --dbname=postgres)
  PGOPTIONS='-c client_min_messages=warning' "${sql[@]}" \
    -c "DROP DATABASE IF EXISTS restored" -c "CREATE DATABASE restored OWNER $3"
  pg_restore --single-transaction --exit-on-error --dbname=restored "$backup/$1"
  "${sql[@]}" -c "DROP DATABASE $2 WITH (FORCE)" -c "ALTER DATABASE restored RENAME TO $2"
}

(cd "$backup" && sha256sum --check --quiet --strict SHA256SUMS) || fail "$backup is damaged: restore another one"
has_runs="SELECT to_regclass('runs') IS NOT NULL"
found=$(psql -XAtc "$has_runs")
[ "$found" = f ] || found=$(psql -XAtc 'SELECT count(*) FROM runs')
[ "$found" = f ] || [ "$found" = 0 ] ||
  fail "the database $PGDATABASE on $PGHOST has runs: restore into an empty service"
python "$here/artifacts.py" upload "$backup/artifacts"
restore_database optuna.dump optuna optuna
restore_database runs.dump "$PGDATABASE" "$PGUSER"
echo "restored; now start the MLflow server anew"
