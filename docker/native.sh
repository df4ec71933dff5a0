#!/usr/bin/env bash
# native.sh FOLDER [postgres|s3|server]: the services without containers, from installed programs; data in FOLDER.
# With no part named all three start, and all stop on Ctrl-C, on SIGTERM, and where one of them ends.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=docker/environment.sh
. "$here/environment.sh"
folder=$(realpath -m "${1:?native.sh FOLDER [postgres|s3|server]}")
database="$folder/postgres"
options=(-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c port="$PGPORT")
user=()
[ "$(id -u)" != 0 ] || user=(--reuid=postgres --regid=postgres --init-groups) # it refuses to run as root

for programs in /usr/lib/postgresql/*/bin; do PATH="$programs:$PATH"; done # the newest one first
mkdir -p "$folder/logs"

needs() { # PROGRAM WHAT
  command -v "$1" >/dev/null && return
  echo "$1 is not on the PATH: install $2" >&2
  exit 1
}

as_owner() { setpriv "${user[@]}" -- "$@"; }

# The cluster is made beside its place, so that one begun and never finished is made anew.
make_cluster() {
  umask 077
  rm -rf "$database.new" "$database.new.password"
  mkdir "$database.new"
  secret postgres_password >"$database.new.password"
  [ ${#user[@]} = 0 ] || chown postgres "$database.new" "$database.new.password"
  cd /
  as_owner initdb -D "$database.new" -U "$PGUSER" -A scram-sha-256 --pwfile="$database.new.password" --encoding=UTF8 >/dev/null
  rm "$database.new.password"
  as_owner pg_ctl -D "$database.new" -w -s -l "$database.new/first.log" -o "${options[*]@Q}" start
  PGPASSWORD=$(secret postgres_password) psql -Xq -v ON_ERROR_STOP=1 --dbname=postgres \
    -c "CREATE DATABASE $PGDATABASE" -f "$here/optuna.sql"
  as_owner pg_ctl -D "$database.new" -w -s stop
  mv "$database.new" "$database"
}

start_s3() {
  if command -v weed >/dev/null; then
    mkdir -p "$folder/s3"
    exec env BIND=127.0.0.1 S3_FOLDER="$folder/s3" setpriv --pdeathsig TERM "$here/s3.sh"
  fi
  echo "no weed (SeaweedFS) on the PATH: moto stands in, and keeps artifacts in memory until it stops" >&2
  exec setpriv --pdeathsig TERM python -m moto.server -H 127.0.0.1 -p "$S3_PORT"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

await() { # PART PORT
  for _ in {1..600}; do
    answers "$2" && return
    kill -0 "${pids[$1]}" 2>/dev/null || break
    sleep 0.2
  done
  echo "$1 does not start; the end of $folder/logs/$1.log:" >&2
  tail -n 3 "$folder/logs/$1.log" >&2
  exit 1
}

start_all() {
  needs initdb "PostgreSQL (apt-get install postgresql)"
  needs mlflow "the server, or activate its environment (docker/README.md)"
  for port in PGPORT S3_PORT SERVER_PORT; do
    if answers "${!port}"; then
      echo "port ${!port} is taken: stop what uses it, or set $port" >&2
      exit 1
    fi
  done
  declare -gA pids
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'stop_all' EXIT
  for part in postgres s3; do launch "$part"; done
  await postgres "$PGPORT"
  await s3 "$S3_PORT"
  launch server
  await server "$SERVER_PORT"
  echo "http://127.0.0.1:$SERVER_PORT (user $MLFLOW_AUTH_ADMIN_USERNAME, password in $SECRETS/admin_password)"
  echo "export MLFLOW_TRACKING_URI=http://127.0.0.1:$SERVER_PORT"
  wait -n || true
  echo "one of the services ended; see $folder/logs" >&2
  exit 1
}

launch() {
  setpriv --pdeathsig TERM "$here/native.sh" "$folder" "$1" >>"$folder/logs/$1.log" 2>&1 &
  pids[$1]=$!
}

stop_all() {
  trap - EXIT INT TERM
  for part in server s3 postgres; do
    [ -n "${pids[$part]-}" ] || continue
    kill -TERM "${pids[$part]}" 2>/dev/null || true
    [ "$part" != postgres ] || kill -INT "${pids[$part]}" 2>/dev/null || true # do not wait for its clients
    wait "${pids[$part]}" 2>/dev/null || true
  done
}

case ${2-all} in
  postgres)
    [ -e "$database" ] || make_cluster
    cd /
    exec setpriv "${user[@]}" --pdeathsig INT -- postgres -D "$database" "${options[@]}"
    ;;
  s3) start_s3 ;;
  server) exec setpriv --pdeathsig TERM "$here/server.sh" ;;
  all) start_all ;;
  *) echo "native.sh FOLDER [postgres|s3|server]" >&2; exit 2 ;;
esac
