"""What s3.sh starts, as far as it shows without SeaweedFS: a stand-in for `weed` keeps its words and its settings."""

import json
import subprocess

import pytest
from native_services import DOCKER

WEED = """#!/bin/sh
echo "$@" >"$S3_FOLDER/words"
for word in "$@"; do case $word in -s3.config=*) cp "${word#*=}" "$S3_FOLDER/config" ;; esac; done
"""


@pytest.fixture
def started(tmp_path):
    """`s3.sh` with these two secrets; what it said, and the folder where the stand-in left what it was given."""
    weed = tmp_path / "bin" / "weed"
    weed.parent.mkdir()
    weed.write_text(WEED)
    weed.chmod(0o755)

    def start(**secrets):
        for name, secret in secrets.items():
            (tmp_path / name).write_text(secret)
        places = {"SECRETS": tmp_path, "S3_FOLDER": tmp_path, "TMPDIR": tmp_path}
        variables = {"PATH": f"{weed.parent}:/usr/bin:/bin", "BIND": "0.0.0.0", "S3_PORT": "8333", **places}
        return subprocess.run([DOCKER / "s3.sh"], env=variables, capture_output=True, text=True)

    return start


def test_the_store_has_one_user_with_the_keys_of_the_secrets_and_they_are_in_no_word(started, tmp_path):
    done = started(s3_access_key="the-access-key", s3_secret_key="the-secret-key")
    assert done.returncode == 0, done.stderr
    (identity,) = json.loads((tmp_path / "config").read_text())["identities"]
    assert identity["credentials"] == [{"accessKey": "the-access-key", "secretKey": "the-secret-key"}]
    assert (tmp_path / "config").stat().st_mode & 0o077 == 0
    assert "-key" not in (tmp_path / "words").read_text()


def test_of_the_ports_of_the_store_the_one_that_asks_for_keys_alone_is_seen_from_outside(started, tmp_path):
    started(s3_access_key="the-access-key", s3_secret_key="the-secret-key")
    words = dict(word.partition("=")[::2] for word in (tmp_path / "words").read_text().split())
    assert {name: value for name, value in words.items() if value == "0.0.0.0"} == {"-s3.ip.bind": "0.0.0.0"}
    assert words["-ip.bind"] == words["-ip"] == "127.0.0.1"


@pytest.mark.parametrize("secrets", [{"s3_access_key": "a"}, {"s3_access_key": "", "s3_secret_key": ""}])
def test_without_a_key_the_store_does_not_start(started, secrets, tmp_path):
    done = started(**secrets)
    assert done.returncode != 0 and "s3_secret_key" in done.stderr
    assert not (tmp_path / "words").exists()
