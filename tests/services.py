"""What a test needs beyond Python: skipped with a reason where it is missing, failed where all must be there."""

import os
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import pytest

__all__ = ["REQUIRED", "library", "need"]

REQUIRED = os.environ.get("ANOMALY_REQUIRE_SERVICES") == "1"


def need(present: bool, reason: str) -> None:
    """Skip with the reason, or fail where ANOMALY_REQUIRE_SERVICES=1."""
    if present:
        return
    if REQUIRED:
        pytest.fail(f"ANOMALY_REQUIRE_SERVICES=1, but {reason}")
    pytest.skip(reason)


def library(name: str) -> ModuleType:
    """A module of a peer that tests compare with and the package never imports."""
    need(find_spec(name.split(".")[0]) is not None, f"{name.split('.')[0]} is not installed")
    return import_module(name)
