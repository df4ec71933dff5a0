"""Work in processes of this machine and on a two-worker Ray cluster: the same results, the same ends."""

import os
import re
import signal
import threading
import time
import tomllib
from contextlib import nullcontext

import killed_worker
import numpy as np
import optuna
import psutil
import pytest
import worker_tasks
from bare_cluster import bare_cluster
from desk import ROOT
from joblib import delayed
from planted_tasks import planted
from services import library
from tracking.stores import STORES

from anomaly_mlflow.detection import sweep as sweep_module
from anomaly_mlflow.detection.objective import objective, put_aside
from anomaly_mlflow.detection.sweep import sweep
from anomaly_mlflow.detection.trials import finished, open_storage
from anomaly_mlflow.errors import BadOption, ServerUnavailable, UnknownName, WorkerDied
from anomaly_mlflow.training import ray_cluster, ray_tasks
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.folds import assign_folds, fit_folds, fold_folder
from anomaly_mlflow.training.ray_cluster import ray_workers
from anomaly_mlflow.training.side_by_side import elsewhere, side_by_side

LONG = TrainConfig("convnet", epochs=30, batch_size=32)


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """Two workers that have nothing of the project but what is sent to them."""
    folder = tmp_path_factory.mktemp("cluster")
    code = [ROOT / "anomaly_mlflow", ROOT / "entry_points"]
    sent = {"ANOMALY_STATE": "as sent"}
    with (
        bare_cluster(folder, MLFLOW_TRACKING_PASSWORD="of the worker") as reached,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in reached.items():
            patch.setenv(name, value)  # Ray reads the way to log in while it is imported
        for module in (worker_tasks, killed_worker):
            library("ray.cloudpickle").register_pickle_by_value(module)
        address = reached["RAY_ADDRESS"]
        with ray_workers(2, shared=folder / "state", address=address, variables=sent, code=code) as workers:
            yield workers
    assert not list((folder / "state").iterdir())


@pytest.fixture(params=["processes", "ray"])
def backend(request):
    """Both ways to work side by side."""
    with elsewhere(request.getfixturevalue("workers")) if request.param == "ray" else nullcontext():
        yield request.param


def test_a_worker_has_the_code_and_the_place_of_who_sent_it_and_a_login_of_its_own(workers, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "of the caller")
    images = np.full((300, 64, 64, 1), 7, np.uint8)
    with elsewhere(workers):
        first, second = side_by_side([delayed(worker_tasks.where_am_i)(images)] * 2, 2)
    assert first["process"] != os.getpid()
    (root,) = first["code"]
    assert root != str(ROOT) and "working_dir" in root
    assert first["home"] == os.getcwd() and first["OMP_NUM_THREADS"] == "1"
    assert first["ANOMALY_STATE"] == "as sent" and first["MLFLOW_TRACKING_PASSWORD"] == "of the worker"
    assert first["sum"] == second["sum"] == images.size * 7


def test_results_come_in_order_as_soon_as_they_are_there_and_no_more_than_asked_begin(backend, tmp_path):
    tasks = [delayed(worker_tasks.noted)(number, str(tmp_path), 0.5 if number < 3 else 3) for number in range(5)]
    came = []
    for number in side_by_side(tasks, 2):
        came.append(number)
        if number == 0:
            assert not (tmp_path / "3-ends").exists()
        if number == 2:
            assert not (tmp_path / "4-ends").exists()
    assert came == list(range(5))
    begun = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    for number in range(2, 5):
        ended = sorted(begun[f"{before}-ends"] for before in range(number))
        assert begun[f"{number}-begins"] >= ended[number - 2]


def test_one_job_at_a_time_stays_in_this_process(backend):
    (seen,) = side_by_side([delayed(worker_tasks.where_am_i)(np.zeros(3))], 1)
    assert seen["process"] == os.getpid()


@pytest.mark.parametrize("error", [UnknownName("model", "x", ["y"]), ValueError("told as it is")])
def test_the_error_of_a_task_is_the_one_that_is_raised(backend, error):
    with pytest.raises(type(error)) as told:
        list(side_by_side([delayed(worker_tasks.fails)(error), delayed(time.sleep)(0.1)], 2))
    assert type(told.value) is type(error) and str(told.value) == str(error)


def test_a_worker_that_is_killed_ends_all_in_one_line_and_the_same_again_makes_what_is_missing(backend, tmp_path):
    (tmp_path / "bomb").touch()
    tasks = [delayed(worker_tasks.killed_once)(number, str(tmp_path)) for number in range(4)]
    with pytest.raises(WorkerDied, match=r"^a worker died: .*; the same command, typed again, does what is missing$"):
        list(side_by_side(tasks, 2))
    assert not (tmp_path / "2").exists()
    again = list(side_by_side(tasks, 2))
    assert again[:3] == ["found", "found", "made"]


def train(samples, folder, jobs):
    fold = assign_folds(samples, 3, seed=0)
    fit_folds(samples, fold, np.ones(len(samples), bool), LONG, seed=0, folder=folder, jobs=jobs)


def saved(folder):
    return {k: path for k in range(3) if (path := fold_folder(folder, k) / "weights.safetensors").exists()}


@pytest.fixture(scope="module")
def in_one_process(module_stripes, tmp_path_factory):
    """The fold models, trained one after the other."""
    folder = tmp_path_factory.mktemp("one")
    train(module_stripes, folder, jobs=1)
    return {k: path.read_bytes() for k, path in saved(folder).items()}


def test_after_the_sigkill_of_a_training_worker_what_is_there_stays_and_all_is_bit_for_bit(
    backend, module_stripes, in_one_process, tmp_path
):
    """Killed once a model is whole, while the next are in training; given again it ends as if nothing had been."""

    def under_way():
        return saved(tmp_path) and list(tmp_path.rglob("checkpoint/*"))

    killer = threading.Thread(target=kill_a_worker_once, args=(under_way, backend))
    killer.start()
    with pytest.raises(WorkerDied):
        train(module_stripes, tmp_path, jobs=2)
    killer.join()
    whole = {k: path.stat().st_mtime_ns for k, path in saved(tmp_path).items()}
    assert 1 <= len(whole) < 3
    assert list(tmp_path.rglob("checkpoint/*")), "a training was under way"
    train(module_stripes, tmp_path, jobs=2)
    assert {k: saved(tmp_path)[k].stat().st_mtime_ns for k in whole} == whole
    assert {k: path.read_bytes() for k, path in saved(tmp_path).items()} == in_one_process


def kill_a_worker_once(ready, backend):
    end = time.monotonic() + 240
    while not ready() and time.monotonic() < end:
        time.sleep(0.02)
    busy = [process for process in psutil.process_iter() if is_worker(process, backend)]
    for process in busy:
        os.kill(process.pid, signal.SIGKILL)


def is_worker(process, backend):
    """Whether it works for this process: one of joblib's, or one of Ray's that is at a task and so at our folder."""
    try:
        words = " ".join(process.cmdline())
        if backend == "processes":
            return process.ppid() == os.getpid() and "loky" in words and "resource_tracker" not in words
        return words.startswith("ray::carry_out") and process.cwd() == os.getcwd()
    except psutil.Error:
        return False


@pytest.fixture(params=["journal", "postgres"])
def place(request, tmp_path):
    """Where the workers of a sweep meet."""
    if request.param == "journal":
        yield str(tmp_path / "journal")
        return
    with STORES["postgres"](tmp_path) as address:
        yield address


@pytest.mark.filterwarnings("default:.*noload")  # MLflow, whose connections to the database are closed
def test_a_sweep_over_a_cluster_survives_a_worker_and_its_values_are_those_of_this_process(
    workers, place, tmp_path, monkeypatch
):
    development, opened = put_aside(planted(n=160), 0)[0], open_storage(place)
    bomb = tmp_path / "bomb"
    bomb.touch()
    monkeypatch.setattr(sweep_module, "carry_out", killed_worker.Killed(bomb))
    monkeypatch.setattr(sweep_module, "open_storage", lambda place: opened)
    told = []
    with elsewhere(workers):
        study = sweep(
            development, place=place, name="s", trials=5, workers=2, on_trial=lambda number, trial: told.append(number)
        )
    assert not bomb.exists() and sorted(told) == sorted(finished(study)) == list(range(5))
    for trial in finished(study).values():
        again = optuna.trial.FixedTrial(trial.params)
        if trial.state == optuna.trial.TrialState.COMPLETE:
            assert objective(again, development) == trial.value
    if place.startswith("postgresql"):
        opened.engine.dispose()


@pytest.mark.parametrize(
    ("address", "error", "line"),
    [
        ("127.0.0.1:1", ServerUnavailable, "the Ray cluster at 127.0.0.1:1 does not answer: "),
        ("here", BadOption, "RAY_ADDRESS=here is not of the form HOST:PORT"),
        ("127.0.0.1:99999", ServerUnavailable, "does not answer: "),
    ],
)
def test_an_address_where_no_cluster_is_is_told_at_once(tmp_path, address, error, line):
    with (
        pytest.raises(error, match=line) as told,
        ray_workers(2, shared=tmp_path, address=address) as workers,
        elsewhere(workers),
    ):
        list(side_by_side([delayed(abs)(-1)] * 2, 2))
    assert "\n" not in str(told.value)


def test_ray_that_is_missing_is_told_before_anything_is_done(monkeypatch, tmp_path):
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    (wanted,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["ray"]
    told = f"backend=ray needs Ray: pip install '{wanted}', or"  # our name is in no index
    with pytest.raises(BadOption, match=re.escape(told)), ray_workers(2, shared=tmp_path):
        pass
    assert f"pip install '{wanted}'" in (ROOT / "docs" / "workers.md").read_text()


def test_a_folder_that_a_worker_does_not_see_is_told(tmp_path):
    with pytest.raises(BadOption, match=r"does not see .*: let ANOMALY_STATE name a folder that all machines share"):
        ray_tasks.carry_out(tmp_path, tmp_path / "elsewhere" / "mark", print)


def test_workers_on_other_machines_are_refused_where_runs_are_in_a_file(workers, monkeypatch):
    with elsewhere(workers):
        list(side_by_side([delayed(abs)(-1), delayed(abs)(-2)], 2))
    ray_cluster._refuse_other_machines()
    monkeypatch.setattr(ray_cluster.socket, "gethostname", lambda: "another")
    with pytest.raises(BadOption, match="cannot reach the runs of this folder; set MLFLOW_TRACKING_URI"):
        ray_cluster._refuse_other_machines()
