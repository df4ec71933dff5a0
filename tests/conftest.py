"""Fixtures for all tests."""

import os
import sys

# One thread per process, before torch is imported: several processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from anomaly_mlflow.data.samples import Samples

LONG = ("slow", "workers", "tracking_service", "entry_points")
"""Folders whose files take minutes: of two processes neither must begin one of them last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; `make test` forbids xdist to order files by the number of their tests instead."""
    items.sort(key=lambda item: not set(LONG) & set(item.path.parts))


@pytest.fixture(autouse=True)
def no_address_for_later_tests():
    """`mlflow.set_tracking_uri` would hold for every later test of the process, above the environment that they set."""
    yield
    service = sys.modules.get("mlflow.tracking._tracking_service.utils")
    assert service is None or service._tracking_uri is None, "use monkeypatch.setenv('MLFLOW_TRACKING_URI', ...)"


@pytest.fixture
def stripes() -> Samples:
    """120 images of three easy classes: bright left, bright right, bright middle."""
    return _stripes()


@pytest.fixture(scope="module")
def module_stripes() -> Samples:
    """The same, for what is trained once a module."""
    return _stripes()


def _stripes() -> Samples:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    images = rng.integers(0, 60, (120, 8, 8, 1), dtype=np.uint8)
    for row, label in enumerate(labels):
        images[row, :, 3 * label : 3 * label + 2] += 150
    return Samples(images, labels, np.arange(1000, 1120), ("left", "middle", "right"), "stripes")
