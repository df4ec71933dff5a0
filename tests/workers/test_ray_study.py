"""Commands whose work is done by two Ray workers that have nothing of the project but what is sent to them."""

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
CLEAN = [*TINY, "--epochs", "60", "--jobs", "2", "--backend", "ray"]


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
    one, ray = (features(desk) for desk in desks.values())
    assert list(one) == list(ray) == ["0", "1", "2"]
    for seed, frame in one.items():
        pd.testing.assert_frame_equal(frame, ray[seed], check_exact=True)
    assert not list((tmp_path / "ray" / "state").iterdir())


def features(desk):
    runs = sorted(desk.runs("extract_features"), key=lambda run: run.data.params["training_seed"])
    return {
        run.data.params["training_seed"]: pd.read_parquet(desk.artifact(run.info.run_id, "features.parquet"))
        for run in runs
    }


def test_a_worker_that_is_killed_ends_the_command_in_one_line_and_the_same_command_goes_on(reached, tmp_path):
    desk = Desk(tmp_path)
    command = [sys.executable, "-m", "entry_points", "train_clean", *CLEAN]
    with open(tmp_path / "errors.log", "w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=desk.environment(**reached), stderr=log)
        try:
            wait_for(lambda: list(tmp_path.glob("state/*/model/fold=*/weights.safetensors")), process)
            kill_a_worker(tmp_path)
            assert process.wait(120) == 1
        finally:
            process.kill()
    said = Path(tmp_path, "errors.log").read_text()
    assert [line for line in said.splitlines() if line.startswith("error: ")] == [
        "error: a worker died: it was killed, or memory was short (fewer jobs take less);"
        " the same command, typed again, does what is missing"
    ]
    assert "Traceback" not in said
    assert [run.info.status for run in desk.runs("train_clean")] == ["FAILED"]
    done = desk.type("train_clean", *CLEAN, **reached)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [run.info.status for run in desk.runs("train_clean")] == ["FINISHED"]
    assert len(desk.runs("train_baseline")) == len(desk.runs("generate_noise")) == 1


def kill_a_worker(folder):
    """One that is at a task of a command that was typed in this folder."""
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.cmdline()[0].startswith("ray::_carry_out"):
                os.kill(process.pid, signal.SIGKILL)
                return
        except (psutil.Error, IndexError):
            continue
    raise AssertionError("no worker is at a task")


def wait_for(condition, process, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"the process ended early with {process.returncode}"
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.1)
