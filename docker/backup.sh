#!/usr/bin/env bash
# backup.sh FOLDER: databases, then artifacts, then checksums, in FOLDER/<time>; runs may go on meanwhile.
# Every artifact that a dumped run knows was there before the dump, so it is in the copy, made after it; what comes
# later is at most an artifact too many. A backup is whole once its name has no `.partial`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=docker/environment.sh
. "$here/environment.sh"
with_database_and_artifacts

target=$(realpath -m "${1:?backup.sh FOLDER}")/$(date -u +%Y%m%dT%H%M%SZ)
umask 077
mkdir -p "$target.partial/artifacts"
pg_dump --format=custom --file="$target.partial/runs.dump" "$PGDATABASE"
pg_dump --format=custom --file="$target.partial/optuna.dump" optuna
python "$here/artifacts.py" download "$target.partial/artifacts"
sums=$(cd "$target.partial" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
printf '%s\n' "$sums" >"$target.partial/SHA256SUMS"
mv "$target.partial" "$target"
echo "$target"
