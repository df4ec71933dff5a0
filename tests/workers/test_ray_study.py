"""Commands whose work is done by two Ray workers that have nothing of the project but what is sent to them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from bare_cluster import bare_cluster
from desk import Desk

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

TINY = ["--subset", "300", "--model", "convnet", "--baseline_epochs", "1", "--baseline_folds", "2", "--folds", "2"]
STUDY = [*TINY, "--epochs", "2", "--validation_folds", "2", "--seeds", "3", "--draws", "100"]
CLEAN = ["train_clean", *TINY, "--epochs", "60", "--jobs", "2", "--backend"]


@pytest.fixture(scope="module")
def reached(tmp_path_factory):
    """The variables that name the cluster."""
    with bare_cluster(tmp_path_factory.mktemp("cluster")) as variables:
        yield variables


def test_a_study_of_three_seeds_on_two_workers_gives_the_numbers_of_one_process(reached, tmp_path):
    desks = {}
    for name, words, variables in (("one", ["--jobs", "1"], {}), ("ray", ["--backend", "ray"], reached)):
        (tmp_path / name).mkdir()
        desks[name] = Desk(tmp_path / name)
        done = desks[name].type("judge", *STUDY, *words, **variables)
        assert done.returncode == 0, done.stderr[-3000:]
    for path in ("auroc_by_type.csv", "verdicts.csv"):
        one, ray = (desk.artifact(desk.runs("judge")[0].info.run_id, path).read_bytes() for desk in desks.values())
        assert one == ray
    (parent,) = desks["ray"].runs("judge")
    made_by = {process(run) for run in desks["ray"].runs("extract_features")}
    assert len(made_by) == 2 and process(parent) not in made_by
    one, ray = (features(desk) for desk in desks.values())
    assert list(one) == list(ray) == ["0", "1", "2"]
    for seed, frame in one.items():
        pd.testing.assert_frame_equal(frame, ray[seed], check_exact=True)
    assert not list((tmp_path / "ray" / "state").iterdir())


def process(run):
    return json.loads(run.data.tags["anomaly.owner"])["process"]


def features(desk):
    runs = sorted(desk.runs("extract_features"), key=lambda run: run.data.params["training_seed"])
    return {
        run.data.params["training_seed"]: pd.read_parquet(desk.artifact(run.info.run_id, "features.parquet"))
        for run in runs
    }


@pytest.mark.parametrize("backend", ["processes", "ray"])
def test_a_worker_that_is_killed_ends_the_command_in_one_line_and_the_same_command_goes_on(backend, request, tmp_path):
    desk, variables = Desk(tmp_path), request.getfixturevalue("reached") if backend == "ray" else {}
    command = [sys.executable, "-m", "entry_points", *CLEAN, backend]
    with open(tmp_path / "errors.log", "w") as log:
        typed = subprocess.Popen(command, cwd=tmp_path, env=desk.environment(**variables), stderr=log)
        try:
            wait_for(lambda: list(tmp_path.glob("state/*/model/fold=*/weights.safetensors")), typed)
            kill_a_worker(typed.pid, backend, tmp_path)
            assert typed.wait(120) == 1
        finally:
            typed.kill()
    said = Path(tmp_path, "errors.log").read_text()
    assert [line for line in said.splitlines() if line.startswith("error: ")] == [
        "error: a worker died: it was killed, or memory was short (fewer jobs take less);"
        " the same command, typed again, does what is missing"
    ]
    assert "Traceback" not in said
    assert [run.info.status for run in desk.runs("train_clean")] == ["FAILED"]
    done = desk.type(*CLEAN, backend, **variables)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [run.info.status for run in desk.runs("train_clean")] == ["FINISHED"]
    assert len(desk.runs("train_baseline")) == len(desk.runs("generate_noise")) == 1


def kill_a_worker(typed, backend, folder):
    """One that is at a task of the command: one of joblib's, or one of Ray's that works in the command's folder."""
    for each in psutil.process_iter():
        try:
            words = " ".join(each.cmdline())
            its_own = each.ppid() == typed and "loky" in words and "resource_tracker" not in words
            at_work = words.startswith("ray::carry_out") and each.cwd() == str(folder)
            if at_work if backend == "ray" else its_own:
                os.kill(each.pid, signal.SIGKILL)
                return
        except psutil.Error:
            continue
    raise AssertionError("no worker is at a task")


def wait_for(condition, process, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"the process ended early with {process.returncode}"
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.1)
