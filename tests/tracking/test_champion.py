"""`@champion` is the best of the versions that were tested on one set, whatever others wrote into their tags."""

import mlflow
import pytest

from anomaly_mlflow.tracking.registry import _compete

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    client = mlflow.MlflowClient()
    client.create_registered_model("noisy")
    for _ in range(3):
        client.create_model_version("noisy", tmp_path.as_uri())
    return client


def champion(client):
    return int(client.get_model_version_by_alias("noisy", "champion").version)


def test_the_best_on_the_same_test_set_is_the_champion_and_the_newer_of_equals(client):
    _compete("noisy", "1", "test_accuracy", 0.8, "a")
    _compete("noisy", "2", "test_accuracy", 0.9, "b")
    _compete("noisy", "3", "test_accuracy", 0.8, "a")
    assert champion(client) == 3


@pytest.mark.parametrize("written", ["abc", "inf", "nan", "7", ""])
def test_a_tag_that_is_no_share_neither_wins_nor_ends_the_training_of_another(client, written):
    client.set_model_version_tag("noisy", "2", "anomaly.test_set", "a")
    client.set_model_version_tag("noisy", "2", "test_accuracy", written)
    _compete("noisy", "1", "test_accuracy", 0.8, "a")
    assert champion(client) == 1
