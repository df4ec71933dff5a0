import mlflow
import pytest

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.passed_on import passed_on


def test_a_worker_is_told_the_address_and_nothing_of_the_login(monkeypatch):
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "https://server:5000")
    for name in ("USERNAME", "PASSWORD", "TOKEN"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "/etc/ca.pem")
    told = passed_on()
    assert told["MLFLOW_TRACKING_URI"] == "https://server:5000"
    assert told["MLFLOW_TRACKING_SERVER_CERT_PATH"] == "/etc/ca.pem"
    assert "secret" not in told.values()


@pytest.mark.parametrize(
    "address", ["postgresql://me:secret@host/db", "https://me:secret@host", "postgresql://me@host/db?Password=secret"]
)
def test_an_address_with_a_password_in_it_is_not_passed_on(monkeypatch, address):
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: address)
    with pytest.raises(BadOption, match="the tracking address holds a password") as told:
        passed_on()
    assert "secret" not in str(told.value)
