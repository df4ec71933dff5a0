"""What a test needs beyond Python: skipped with a reason where it is missing, failed where all must be there."""

import os

import pytest

__all__ = ["REQUIRED", "need"]

REQUIRED = os.environ.get("ANOMALY_REQUIRE_SERVICES") == "1"


def need(present: bool, reason: str) -> None:
    """Skip with the reason, or fail where ANOMALY_REQUIRE_SERVICES=1."""
    if present:
        return
    if REQUIRED:
        pytest.fail(f"ANOMALY_REQUIRE_SERVICES=1, but {reason}")
    pytest.skip(reason)
