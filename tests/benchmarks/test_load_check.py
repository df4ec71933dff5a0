"""What the benchmark of the load calls arrived: every file as written, every metric once, the run finished."""

import mlflow
import pytest

from benchmarks.load import _sha256, check

pytestmark = pytest.mark.filterwarnings("default")

FILE = "recording/epoch=0000/part-0.parquet"


@pytest.fixture
def arrived(tmp_path, monkeypatch):
    """(environment, what the writer told, client) of a run with one epoch and two calls with metrics."""
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    monkeypatch.setenv("MLFLOW_TRACKING_URI", environment["MLFLOW_TRACKING_URI"])
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("load", artifact_location=(tmp_path / "artifacts").as_uri())
    run_id = client.create_run(experiment).info.run_id
    part = tmp_path / "part-0.parquet"
    part.write_bytes(b"rows")
    client.log_artifact(run_id, str(part), "recording/epoch=0000")
    for step in range(2):
        client.log_metric(run_id, "metric_0", 1.0, step=step)
    client.set_terminated(run_id, "FINISHED")
    yield environment, {"run": run_id, "digests": {FILE: _sha256(part)}, "waited": [0.1, 0.2]}, client


def test_what_arrived_once_and_as_written_is_counted(arrived):
    environment, told, _ = arrived
    assert check(environment, told) == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda client, told: told["digests"].update({"recording/epoch=0001/part-0.parquet": "x"}), "lost or not as"),
        (lambda client, told: told["digests"].update({FILE: "another"}), "lost or not as written"),
        (lambda client, told: told["digests"].clear(), "lost or not as written"),
        (lambda client, told: client.log_metric(told["run"], "metric_0", 2.0, step=1), "lost or doubled"),
        (lambda client, told: told["waited"].append(0.1), "lost or doubled"),
        (lambda client, told: client.set_terminated(told["run"], "FAILED"), "is not FINISHED"),
    ],
    ids=["lost", "changed", "never written", "metric twice", "metric lost", "failed"],
)
def test_what_is_lost_changed_doubled_or_unfinished_ends_the_benchmark(arrived, spoil, said):
    environment, told, client = arrived
    spoil(client, told)
    with pytest.raises(RuntimeError, match=said):
        check(environment, told)
