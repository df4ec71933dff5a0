"""A desk for each test, and a small study that is run once for all of them."""

import subprocess

import pytest
from desk import SMALL, Desk


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> tuple[Desk, subprocess.CompletedProcess]:
    """The main job on 400 digits."""
    desk = Desk(tmp_path_factory.mktemp("study"))
    done = desk.type("main", *SMALL)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk, done
