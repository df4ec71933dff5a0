"""Real processes: `mlflow run`, signals, a real server, a real browser."""

import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from desk import ROOT
from playwright.sync_api import expect, sync_playwright
from real_server import RealServer
from services import REQUIRED, need

pytestmark = pytest.mark.filterwarnings("default")

TINY = {"subset": "300", "model": "convnet", "epochs": "2", "baseline_epochs": "1"}
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
BROWSER_FLAGS += ["--disable-background-networking", "--disable-component-update"]
SLOW_TRAINING = ["--subset", "300", "--model", "convnet", "--epochs", "100000", "--baseline_epochs", "1"]


def project_run(desk, *words, variables=None, **options):
    parameters = [word for key, value in options.items() for word in ("-P", f"{key}={value}")]
    command = [str(Path(sys.executable).parent / "mlflow"), "run", str(ROOT), *words, *parameters]
    environment = desk.environment(MLFLOW_TRACKING_URI=f"sqlite:///{desk.folder}/mlflow.db", **(variables or {}))
    return subprocess.run(command, cwd=desk.folder, env=environment, capture_output=True, text=True)


def assert_first_training_is_whole(desk):
    run = desk.runs("train_noisy")[0]
    assert run.info.status == "FINISHED"
    recording = sorted(path.name for path in desk.artifact(run.info.run_id, "recording").iterdir())
    assert recording == ["epoch=0000", "epoch=0001"]
    noise = desk.runs("generate_noise")[0]
    assert len(pd.read_parquet(desk.artifact(noise.info.run_id, "ledger.parquet"))) == 300
    assert desk.client.get_model_version_by_alias("noisy-digits-convnet", "champion").run_id == run.info.run_id


def test_mlflow_run_of_one_step_works_as_the_very_first_command(desk):
    done = project_run(desk, "-e", "train_noisy", "--env-manager", "local", **TINY)
    assert done.returncode == 0, done.stderr[-3000:]
    assert_first_training_is_whole(desk)


def test_the_pinned_environment_alone_is_enough(desk):
    need(REQUIRED, "building the pinned environment takes 5 GB; ANOMALY_REQUIRE_SERVICES=1 does it")
    environments = {"MLFLOW_ENV_ROOT": str(desk.folder / "environments"), "PYTHONPATH": ""}
    command = [
        str(Path(sys.executable).parent / "mlflow"),
        "run",
        str(ROOT),
        "-e",
        "train_noisy",
        "--env-manager",
        "uv",
    ]
    command += [word for key, value in TINY.items() for word in ("-P", f"{key}={value}")]
    environment = desk.environment(MLFLOW_TRACKING_URI=f"sqlite:///{desk.folder}/mlflow.db", **environments)
    done = subprocess.run(command, cwd=desk.folder, env=environment, capture_output=True, text=True)
    shutil.rmtree(desk.folder / "environments", ignore_errors=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert_first_training_is_whole(desk)


@pytest.mark.parametrize("value", ["abc", "-1"])
def test_a_mistyped_option_under_mlflow_run_fails_its_run(desk, value):
    done = project_run(desk, "-e", "train_noisy", "--env-manager", "local", epochs=value)
    assert done.returncode == 1
    assert len([line for line in done.stderr.splitlines() if line.startswith("error: ")]) == 1
    assert [run.info.status for run in desk.runs()] == ["FAILED"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_mid_training_ends_the_run_as_killed_and_keeps_what_was_recorded(desk, number, code):
    with begin(desk, "train_noisy", *SLOW_TRAINING) as process:
        wait_for(lambda: list(desk.folder.rglob("recording/epoch=0001/part-0.parquet")), process)
        process.send_signal(number)
        assert process.wait(60) == code
    run = desk.runs("train_noisy")[0]
    assert run.info.status == "KILLED"
    assert "RUNNING" not in {each.info.status for each in desk.runs()}
    for path in desk.artifact(run.info.run_id, "recording").rglob("*.parquet"):
        assert len(pd.read_parquet(path, partitioning=None)) == 300


def test_a_signal_while_processes_train_side_by_side_leaves_no_run_running(desk):
    side_by_side = ["--seeds", "2", "--folds", "2", "--jobs", "2"]
    with begin(desk, "main", *SLOW_TRAINING, *side_by_side) as process:
        wait_for(lambda: any(run.info.status == "RUNNING" for run in desk.runs("train_clean")), process)
        time.sleep(5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    assert {run.info.status for run in desk.runs()} <= {"KILLED", "FINISHED"}


@contextmanager
def begin(desk, *words):
    """A step in a process of its own, which does not outlive the test."""
    command = [sys.executable, "-m", "entry_points", *words]
    with open(desk.folder / "errors.log", "w") as log:
        # A worker of pytest-xdist ignores Ctrl-C, and what it starts would inherit that.
        heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen(command, cwd=desk.folder, env=desk.environment(), stderr=log, preexec_fn=heed)
        try:
            yield process
        finally:
            process.kill()
            process.wait(30)


@pytest.fixture
def server(desk):
    """A real MLflow server on a database of its own."""
    real = RealServer(desk.folder)
    real.start()
    yield real.address
    real.kill()


def test_a_study_on_a_real_server_ends_with_a_report_that_a_browser_shows_in_the_ui(desk, server):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    need(browser is not None, "no Chromium is installed (apt-get install chromium)")
    words = [word for key, value in TINY.items() for word in (f"--{key}", value)]
    done = desk.type("main", *words, "--seeds", "1", "--folds", "2", "--draws", "100", MLFLOW_TRACKING_URI=server)
    assert done.returncode == 0, done.stderr[-3000:]
    link = re.search(r"^run: +(\S+)$", done.stdout, re.MULTILINE)[1]
    assert link.startswith(server) and link.endswith("?workflowType=machine_learning")
    with sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=browser, args=BROWSER_FLAGS)
        page = chromium.new_page()
        elsewhere = []
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(link.replace("?", "/artifacts/report.html?"))
        report = page.frame_locator("iframe")
        expect(report.get_by_role("heading", name="Verdicts", exact=True)).to_be_visible(timeout=60_000)
        assert report.locator("img").count() > 60
        assert all(report.locator("img").evaluate_all("all => all.map(one => one.naturalWidth > 0)"))
        chromium.close()
    assert [url for url in elsewhere if not url.startswith((server, "blob:", "data:"))] == []


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"the process ended early with {process.returncode}"
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.1)
