# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by the other scripts, with $here their folder: settings that the environment does not have, and
# `secret NAME`, which prints the file of that name in $SECRETS.

while IFS= read -r line || [ -n "$line" ]; do # a last line without its end counts, as it does for compose
  name=${line%%=*} value=${line#*=}
  case $name in
    '' | \#*) ;;
    *) eval "export $name=\"\${$name-\$value}\"" ;;
  esac
done <"$here/settings.env"

export PGHOST="${PGHOST-127.0.0.1}"
export S3_ENDPOINT="${S3_ENDPOINT-http://127.0.0.1:$S3_PORT}"
export SECRETS="${SECRETS-$here/secrets}"

secret() {
  if [ ! -s "$SECRETS/$1" ]; then
    echo "$SECRETS/$1 is missing or empty; docker/secrets.sh makes what is missing" >&2
    return 1
  fi
  cat "$SECRETS/$1"
}

# Secrets go through the environment alone: a command line can be read by every user of the machine.
with_database_and_artifacts() {
  PGPASSWORD=$(secret postgres_password)
  AWS_ACCESS_KEY_ID=$(secret s3_access_key)
  AWS_SECRET_ACCESS_KEY=$(secret s3_secret_key)
  export PGPASSWORD AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
}
