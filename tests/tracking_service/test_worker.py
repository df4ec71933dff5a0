"""What a worker container starts, started without a container; and the upgrade of the schema."""

import subprocess
from pathlib import Path

from native_services import DOCKER

SMALL = ["--subset", "200", "--baseline_model", "convnet", "--baseline_epochs", "1", "--jobs", "1"]


def test_an_entry_point_sends_its_run_as_the_user_of_the_workers(services, tmp_path):
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "worker_password").write_text("password-of-worker")
    (secrets / "optuna_password").write_text(services.secret("optuna_password"))
    services.api("users/create", username="worker", password="password-of-worker")
    variables = {
        "SECRETS": str(secrets),
        "PYTHONPATH": str(Path(DOCKER).parent),
        "MLFLOW_TRACKING_URI": services.address,
        "MLFLOW_TRACKING_USERNAME": "worker",
        "MLFLOW_EXPERIMENT_NAME": "worker",
        "ANOMALY_STATE": str(tmp_path / "state"),
        "OMP_NUM_THREADS": "1",
    }
    command = [DOCKER / "worker.sh", "train_baseline", *SMALL]
    environment = {**services.environment(), **variables}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    experiment = services.call("/api/2.0/mlflow/experiments/get-by-name?experiment_name=worker", "worker").json()
    experiments = [experiment["experiment"]["experiment_id"]]
    (run,) = services.api("runs/search", "worker", experiment_ids=experiments)["runs"]
    assert run["info"]["status"] == "FINISHED"
    assert services.api("runs/search", "alice", experiment_ids=experiments) == {}


def test_the_workers_reach_the_database_of_trials_and_not_that_of_runs(services):
    def query(database, text):
        environment = {**services.environment(), "PGPASSWORD": services.secret("optuna_password")}
        address = ["-h", "127.0.0.1", "-U", "optuna", "-d", database]
        return subprocess.run(["psql", "-XAt", *address, "-c", text], env=environment, capture_output=True, text=True)

    assert query("optuna", "CREATE TABLE trial (number int)").returncode == 0
    assert query("optuna", "DROP TABLE trial").returncode == 0
    refused = query("mlflow", "SELECT count(*) FROM runs")
    assert "permission denied for table runs" in refused.stderr


def test_upgrading_a_schema_that_is_up_to_date_changes_nothing(services):
    done = services.run("upgrade.sh")
    assert done.returncode == 0, done.stderr
    assert services.call("/api/2.0/mlflow/runs/get", params={"run_id": services.owned["bob"]["run"]}).ok
