import pytest
from planted_report import COUNTS, study

from anomaly_mlflow.anomalies.types import AnomalyType


@pytest.fixture(scope="session")
def report():
    return study()


@pytest.fixture(scope="session")
def with_human_errors():
    return study({**COUNTS, AnomalyType.HUMAN_ERROR: 25})


@pytest.fixture(scope="session")
def without_hard():
    return study({**COUNTS, AnomalyType.HARD: 0})
