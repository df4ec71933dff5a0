"""The bucket of artifacts: made, copied to a folder, filled from a folder."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tqdm import tqdm

THREADS = 8
GONE = ("404", "NoSuchKey")


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
    copied = _all(partial(_download, client, bucket, folder), keys)
    gone = len(keys) - sum(copied)
    print(f"{sum(copied)} artifacts copied" + (f", {gone} deleted meanwhile" if gone else ""))


def upload(client: BaseClient, bucket: str, folder: Path) -> None:
    """Put every file of the folder under its path."""
    create(client, bucket, folder)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    _all(lambda path: client.upload_file(str(path), bucket, path.relative_to(folder).as_posix()), paths)
    print(f"{len(paths)} artifacts put back")


def _download(client: BaseClient, bucket: str, folder: Path, key: str) -> bool:
    target = (folder / key).resolve()
    if not target.is_relative_to(folder):
        raise ValueError(f"the name {key!r} leads out of the folder")
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
