"""A backup made while runs go on, restored into another service."""

import hashlib
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from native_services import native_folder, native_services

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


def digest(content):
    return hashlib.sha256(content).hexdigest()


def finished_run(services, experiment, number):
    """A run that says the checksum of its artifact after the artifact is sent, and then ends."""
    run = services.api("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    content = f"artifact {number}\n".encode() * 1000
    assert services.call(f"{ARTIFACTS}/{experiment}/{run}/artifacts/table.csv", method="PUT", data=content).ok
    services.api("runs/log-parameter", run_id=run, key="sha256", value=digest(content))
    services.api("runs/log-metric", run_id=run, key="loss", value=number / 7, timestamp=1, step=number)
    services.api("runs/update", run_id=run, status="FINISHED", end_time=2)
    return run


@contextmanager
def going_on(services, experiment):
    """One run after another, until the block ends."""
    done, made = threading.Event(), []

    def work():
        while not done.is_set():
            made.append(finished_run(services, experiment, 100 + len(made)))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield made
    finally:
        done.set()
        thread.join(60)


def all_runs(services, experiment):
    found = services.api("runs/search", experiment_ids=[experiment], max_results=1000).get("runs", [])
    return {run["info"]["run_id"]: run for run in found}


@pytest.fixture(scope="module")
def backup(services, tmp_path_factory):
    """Folder of a backup that was made while runs went on, the experiment, and its runs before."""
    experiment = services.api("experiments/create", name="kept")["experiment_id"]
    first = finished_run(services, experiment, 1)
    services.api("registered-models/create", name="kept-model")
    source = f"mlflow-artifacts:/{experiment}/{first}/artifacts"
    services.api("model-versions/create", name="kept-model", source=source, run_id=first)
    services.api("registered-models/alias", name="kept-model", alias="champion", version="1")
    before = all_runs(services, experiment)
    with going_on(services, experiment) as made:
        while len(made) < 2:
            time.sleep(0.1)
        done = services.run("backup.sh", tmp_path_factory.mktemp("backups"))
    assert done.returncode == 0, done.stderr
    assert len(made) > 2
    return Path(done.stdout.splitlines()[-1]), experiment, before


@pytest.fixture(scope="module")
def restored(backup, services):
    """Another service, empty before, into which the backup was put; its logins are those of the backup."""
    with native_services() as other:
        done = other.run("restore.sh", backup[0])
        assert done.returncode == 0, done.stderr
        shutil.copy(services.folder / "secrets" / "admin_password", other.folder / "secrets")
        other.kill("server")
        other.start("server")
        yield other


def test_runs_metrics_and_models_are_the_same_elsewhere(backup, restored):
    _, experiment, before = backup
    runs = all_runs(restored, experiment)
    assert {run_id: runs[run_id] for run_id in before} == before
    alias = restored.call("/api/2.0/mlflow/registered-models/alias", params={"name": "kept-model", "alias": "champion"})
    assert alias.json()["model_version"]["run_id"] == next(iter(before))


def test_what_a_run_under_way_said_of_its_artifacts_is_true_elsewhere(backup, restored):
    _, experiment, before = backup
    runs = all_runs(restored, experiment)
    said = {
        run_id: param["value"]
        for run_id, run in runs.items()
        for param in run["data"].get("params", [])
        if param["key"] == "sha256"
    }
    assert len(said) > len(before)
    for run_id, expected in said.items():
        artifact = restored.call(f"{ARTIFACTS}/{experiment}/{run_id}/artifacts/table.csv")
        assert digest(artifact.content) == expected


def test_every_artifact_is_read_back_with_its_checksum(backup, restored):
    lines = [line.split("  ", 1) for line in (backup[0] / "SHA256SUMS").read_text().splitlines()]
    sums = {name.removeprefix("./artifacts/artifacts/"): value for value, name in lines if "/artifacts/" in name}
    assert len(sums) > 4
    assert {name: digest(restored.call(f"{ARTIFACTS}/{name}").content) for name in sums} == sums


def test_users_log_in_elsewhere_with_the_passwords_they_had(restored, services):
    path = f"/api/2.0/mlflow/runs/get?run_id={services.owned['alice']['run']}"
    assert restored.call(path, "alice").status_code == 200
    assert restored.call(path, "bob").status_code == 403


def test_a_damaged_backup_is_refused_before_anything_changes(backup, services, tmp_path):
    damaged = Path(shutil.copytree(backup[0], tmp_path / "damaged"))
    victim = next(path for path in sorted((damaged / "artifacts").rglob("*")) if path.is_file())
    victim.write_bytes(victim.read_bytes()[:-1])
    done = services.run("restore.sh", damaged)
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == f"{damaged} is damaged: restore another one"


def test_a_service_with_runs_is_not_restored_into(backup, services):
    done = services.run("restore.sh", backup[0])
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == "the database mlflow on 127.0.0.1 has runs: restore into an empty service"


def test_a_database_that_does_not_answer_is_not_said_to_have_runs(tmp_path):
    (tmp_path / "SHA256SUMS").write_text(f"{digest(b'')}  empty\n")
    (tmp_path / "empty").touch()
    with native_folder() as nothing:
        done = nothing.run("restore.sh", tmp_path)
    assert done.returncode != 0
    assert "onnection" in done.stderr and "has runs" not in done.stderr
