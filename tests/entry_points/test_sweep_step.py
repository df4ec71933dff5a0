"""`-e sweep` and `-e detect` on planted tables: SIGKILL, several workers, a real database, the registered detector."""

import os
import signal
import time

import mlflow
import numpy as np
import optuna
import pandas as pd
import pytest
from planted_runs import plant
from test_processes import begin
from tracking.stores import STORES

from anomaly_mlflow.detection.saved import load_detector
from anomaly_mlflow.detection.trials import open_storage

pytestmark = pytest.mark.filterwarnings("default")

TRIALS = 40
WORDS = ["--trials", str(TRIALS), "--workers", "2", "--draws", "100"]


def trials_of(desk, sweep):
    found = desk.client.search_runs(["0"], f"tags.`mlflow.parentRunId` = '{sweep.info.run_id}'", max_results=1000)
    return [run for run in found if "anomaly.trial" in run.data.tags]


def only_sweep(desk):
    (run,) = desk.runs("sweep")
    return run


def kill_after(desk, words, count):
    """Type a command; SIGKILL it and all that it started once so many trials have their run."""
    with begin(desk, *words) as process:
        end = time.monotonic() + 240
        while not desk.runs("sweep") or len(trials_of(desk, only_sweep(desk))) < count:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.3)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)


@pytest.mark.slow
def test_after_two_sigkills_the_same_command_ends_with_exactly_so_many_trials_and_one_registered_detector(desk):
    words = ["sweep", *plant(desk), *WORDS]
    kill_after(desk, words, 5)
    kill_after(desk, words, 12)
    done = desk.type(*words)
    assert done.returncode == 0, done.stderr[-3000:]
    sweep = only_sweep(desk)
    assert sweep.info.status == "FINISHED"
    trials = trials_of(desk, sweep)
    assert sorted(int(run.data.tags["anomaly.trial"]) for run in trials) == list(range(TRIALS))
    assert {run.data.tags["anomaly.study"] for run in trials} == {f"sweep-{sweep.info.run_id}"}
    assert {run.info.status for run in trials} == {"FINISHED"}
    assert {run.data.tags["anomaly.trial_state"] for run in trials} == {"complete", "pruned"}
    table = pd.read_csv(desk.artifact(sweep.info.run_id, "trials.csv"))
    assert list(table["number"]) == list(range(TRIALS))
    said_of_a_verdict(desk, sweep, done)
    said_of_the_detector(desk, sweep)
    assert not list((desk.folder / "state").glob("*")), "a finished run leaves nothing to take up"


def said_of_a_verdict(desk, sweep, done):
    verdict = sweep.data.tags["anomaly.verdict.sweep"]
    assert verdict in ("improves", "does not improve", "undecided")
    *_, said, place = done.stdout.rstrip().splitlines()
    assert said.endswith(f", {verdict}.") and place.startswith("report: ")
    table = pd.read_csv(desk.artifact(sweep.info.run_id, "comparison.csv"))
    f1 = table[table["measure"] == "f1"].set_index("detector")
    assert f1.loc["difference", "value"] == pytest.approx(f1.loc["best", "value"] - f1.loc["default", "value"])
    low, high = f1.loc["difference", ["low", "high"]]
    assert verdict == ("improves" if low > 0 else "does not improve" if high < 0 else "undecided")
    assert "<html" in desk.artifact(sweep.info.run_id, "report.html").read_text()
    for name in ("history", "parallel_coordinates", "importances"):
        assert desk.artifact(sweep.info.run_id, f"{name}.png").stat().st_size > 5000


def said_of_the_detector(desk, sweep):
    champion = desk.client.get_model_version_by_alias("detector-digits-vit", "champion")
    assert champion.run_id == sweep.info.run_id and len(desk.client.search_model_versions()) == 1
    card = desk.artifact(sweep.info.run_id, "detector/model_card.md").read_text()
    assert champion.description == card
    for heading in ("## Detector", "## Made from", "## Measured", "## Limits", "## Licence"):
        assert heading in card
    folder = desk.artifact(sweep.info.run_id, "detector")
    assert {path.name for path in folder.iterdir()} == {"detector.skops", "detector.json", "model_card.md"}
    fitted = load_detector(folder)
    model = desk.client.get_logged_model(sweep.data.tags["anomaly.model_id"]).artifact_location
    served = mlflow.pyfunc.load_model(model)
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(5, len(fitted.columns))), columns=list(fitted.columns))
    found = served.predict(frame)
    assert found["probability"].to_numpy() == pytest.approx(fitted.model.predict_proba(frame.to_numpy())[:, 1])
    assert (found["flagged"] == (found["probability"] >= fitted.threshold)).all()


def test_two_workers_share_a_real_database(desk, tmp_path_factory):
    words = ["sweep", *plant(desk), "--trials", "8", "--workers", "2", "--draws", "100", "--target", "gross_vs_clean"]
    with STORES["postgres"](tmp_path_factory.mktemp("postgres")) as address:
        done = desk.type(*words, "--storage", address)
        assert done.returncode == 0, done.stderr[-3000:]
        storage = open_storage(address)
        (study,) = optuna.get_all_study_summaries(storage)
        storage.engine.dispose()
        (version,) = desk.client.search_model_versions()
        assert version.name == "detector-digits-vit-gross_vs_clean"
        assert study.study_name == f"sweep-{only_sweep(desk).info.run_id}" and study.n_trials == 8
    assert sorted(int(run.data.tags["anomaly.trial"]) for run in trials_of(desk, only_sweep(desk))) == list(range(8))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--storage", "postgresql+psycopg://me:secret@host/db"], "a password in it would be logged"),
        (["--storage", "postgresql+psycopg://host/db?password=secret"], "a password in it would be logged"),
        (["--storage", "mysql+pymysql://host/db?passwd=secret"], "a password in it would be logged"),
        (["--storage", "mssql+pyodbc:///?odbc_connect=UID%3Dme%3BPWD%3Dsecret"], "a password in it would be logged"),
        (["--storage", "trials.db"], "it is no address of a database"),
        (["--trials", "0"], "0 is not in the range x>=1"),
        (["--target", "everything"], "'everything' is not one of"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_written(desk, words, line):
    done = desk.type("sweep", *words)
    errors = [text for text in done.stderr.splitlines() if text.startswith("error: ")]
    assert (done.returncode, len(errors)) == (2, 1) and line in errors[0]
    assert "secret" not in done.stderr and not (desk.folder / "mlflow.db").exists()


def test_a_database_that_does_not_answer_fails_the_run_in_one_line_without_its_address(desk):
    done = desk.type("sweep", *plant(desk), "--storage", "postgresql+psycopg://127.0.0.1:1/none")
    errors = [text for text in done.stderr.splitlines() if text.startswith("error: ")]
    assert (done.returncode, len(errors)) == (1, 1), done.stderr[-2000:]
    assert "the storage of trials cannot be opened" in errors[0]
    assert only_sweep(desk).info.status == "FAILED"


def test_a_detector_that_is_not_registered_is_told_before_anything_is_made(desk):
    done = desk.type("explain", "--detector", "models:/none@champion")
    errors = [text for text in done.stderr.splitlines() if text.startswith("error: ")]
    assert (done.returncode, len(errors)) == (1, 1), done.stderr[-2000:]
    assert "there is no registered model 'models:/none@champion'" in errors[0]
    assert [run.info.status for run in desk.runs()] == ["FAILED"]
