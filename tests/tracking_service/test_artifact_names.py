"""A backup holds every artifact, whatever its name: one user's names must not end the backup of all."""

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import boto3
import pytest
from native_services import DOCKER, native_folder

NAMES = ["1/run/plain.txt", "1/run/foo", "1/run/foo/bar", "1/d//x", "1/d/x", "odd/names.json", "z" * 255, "1/two words"]


@pytest.fixture
def store():
    with native_folder() as services:
        services.start("s3")
        yield services


def command(store, bucket, *words):
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    place = {"S3_ENDPOINT": f"http://127.0.0.1:{store.ports['s3']}", "S3_BUCKET": bucket}
    words = [sys.executable, DOCKER / "artifacts.py", *words]
    return subprocess.run(words, env=os.environ | keys | place, capture_output=True, text=True)


def test_artifacts_whose_names_cannot_be_files_side_by_side_come_back(store, tmp_path):
    address = {"endpoint_url": f"http://127.0.0.1:{store.ports['s3']}", "region_name": "us-east-1"}
    client = boto3.client("s3", **address, aws_access_key_id="a", aws_secret_access_key="b")
    client.create_bucket(Bucket="first")
    for name in NAMES:
        client.put_object(Bucket="first", Key=name, Body=f"content of {name}".encode())
    folder = tmp_path / "copy"
    folder.mkdir()
    copied = command(store, "first", "download", folder)
    assert copied.returncode == 0, copied.stderr
    assert (folder / "1" / "run" / "plain.txt").read_text() == "content of 1/run/plain.txt"
    put_back = command(store, "second", "upload", folder)
    assert put_back.returncode == 0, put_back.stderr
    found = {each["Key"] for each in client.list_objects_v2(Bucket="second")["Contents"]}
    assert found == set(NAMES)
    for name in NAMES:
        assert client.get_object(Bucket="second", Key=name)["Body"].read() == f"content of {name}".encode()


@pytest.mark.parametrize("name", ["../outside", "/absolute", "1/../../outside", "1/./x", "", "1/", "ä" * 124])
def test_a_name_that_leads_out_of_the_folder_or_is_none_of_a_file_is_kept_under_a_checksum(name):
    spec = spec_from_file_location("docker_artifacts", DOCKER / "artifacts.py")
    artifacts = module_from_spec(spec)
    spec.loader.exec_module(artifacts)
    kept = artifacts.file_names(["1/x", name])
    assert kept["1/x"] == "1/x"
    assert kept[name].startswith("odd/") and len(kept[name]) == len("odd/") + 64
