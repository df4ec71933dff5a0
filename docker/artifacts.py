"""The bucket of artifacts: made, copied to a folder, filled from a folder.

A name that no file can have beside the others, such as `a` beside `a/b`, which any user may send, is kept in `odd/`.
"""

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tqdm import tqdm

THREADS = 8
GONE = ("404", "NoSuchKey")
ODD = "odd"
NAMES = f"{ODD}/names.json"
LONGEST = 246  # bytes in the name of a file, less the nine that boto3 adds while it writes


def main(verb: str, folder: str = "") -> str | None:
    """`create`, `download FOLDER` or `upload FOLDER`; what went wrong, else None."""
    style = Config(s3={"addressing_style": "path"}, max_pool_connections=THREADS)
    client = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT"], config=style)
    bucket = os.environ["S3_BUCKET"]
    try:
        return {"create": create, "download": download, "upload": upload}[verb](client, bucket, Path(folder).resolve())
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        return f"artifacts in s3://{bucket}: {error}"


def create(client: BaseClient, bucket: str, _folder: Path) -> None:
    """Make the bucket unless it is there."""
    if bucket not in [found["Name"] for found in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=bucket)


def download(client: BaseClient, bucket: str, folder: Path) -> None:
    """Copy what the bucket holds now; what is deleted meanwhile is left out and counted."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", []) if not entry["Key"].endswith("/")]
    kept = file_names(keys)
    odd = {name: key for key, name in kept.items() if name != key}
    if odd:
        (folder / ODD).mkdir(parents=True, exist_ok=True)
        (folder / NAMES).write_text(json.dumps(odd))
    copied = _all(partial(_download, client, bucket, folder), list(kept.items()))
    gone = len(keys) - sum(copied)
    print(f"{sum(copied)} artifacts copied" + (f", {gone} deleted meanwhile" if gone else ""))


def upload(client: BaseClient, bucket: str, folder: Path) -> None:
    """Put every file of the folder under its path."""
    create(client, bucket, folder)
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    odd = json.loads((folder / NAMES).read_text()) if NAMES in names else {}
    kept = [name for name in names if name != NAMES]
    _all(lambda name: client.upload_file(str(folder / name), bucket, odd.get(name, name)), kept)
    print(f"{len(kept)} artifacts put back")


def file_names(keys: list[str]) -> dict[str, str]:
    """Key -> path of its file in a folder: the key itself, or one in `odd/`; no two alike, none leads out."""
    folders = {key[:end] for key in keys for end, letter in enumerate(key) if letter == "/"}
    return {
        key: f"{ODD}/{sha256(key.encode()).hexdigest()}" if key in folders or _is_odd(key.split("/")) else key
        for key in keys
    }


def _is_odd(parts: list[str]) -> bool:
    return parts[0] == ODD or any(part in ("", ".", "..") or len(part.encode()) > LONGEST for part in parts)


def _download(client: BaseClient, bucket: str, folder: Path, item: tuple[str, str]) -> bool:
    key, name = item
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        client.download_file(bucket, key, str(target))
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return False
        raise
    return True


def _all(work: Callable, items: list) -> list:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(tqdm(pool.map(work, items), total=len(items), unit="file", disable=None))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
