#!/bin/sh
# Make the secrets that are missing: a file each in docker/secrets/ (or $SECRETS), random, 48 hexadecimal digits.
# The folder is closed to other users; the files are not, since each is mounted alone into containers of other users.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
SECRETS=${SECRETS-$here/secrets}

umask 022 # containers of other users could not read them where who types this has a stricter one
mkdir -p "$SECRETS"
chmod 700 "$SECRETS"
for name in admin_password flask_secret_key optuna_password postgres_password s3_access_key s3_secret_key worker_password; do
  [ -s "$SECRETS/$name" ] || od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n' >"$SECRETS/$name"
done
