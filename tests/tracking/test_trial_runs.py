"""Trials as child runs: one each, whatever was cut short before."""

from datetime import datetime, timedelta

import pytest

from anomaly_mlflow.tracking.lifecycle import start
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import client
from anomaly_mlflow.tracking.trial_runs import STUDY, TRIAL, TrialRuns

pytestmark = pytest.mark.filterwarnings("default")

BEGAN = datetime(2026, 1, 2, 3, 4, 5)
PARAMS = {"detector": "network", "threshold": 0.25}


@pytest.fixture
def parent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    with start("sweep", {}) as run:
        yield run


def note(runs, number, state="complete"):
    metrics = {"f1": 0.5} if state == "complete" else {}
    runs.note(number, state, PARAMS, metrics, {0: 0.4, 1: 0.5}, BEGAN, BEGAN + timedelta(seconds=3))


def children(parent):
    found = client().search_runs([parent.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.id}'")
    return sorted(found, key=lambda run: int(run.data.tags[TRIAL]))


def test_a_trial_is_a_finished_child_run_with_study_number_state_parameters_and_values(parent):
    runs = TrialRuns(parent, "study")
    note(runs, 0)
    note(runs, 1, "pruned")
    first, second = children(parent)
    assert (first.data.tags[STUDY], first.data.tags[TRIAL]) == ("study", "0")
    assert [run.data.tags["anomaly.trial_state"] for run in (first, second)] == ["complete", "pruned"]
    assert first.data.params == {"detector": "network", "threshold": "0.25"}
    assert first.data.metrics == {"f1": 0.5, "f1_so_far": 0.5} and "f1" not in second.data.metrics
    assert [entry.value for entry in client().get_metric_history(first.info.run_id, "f1_so_far")] == [0.4, 0.5]
    assert first.info.status == "FINISHED" and first.info.end_time - first.info.start_time == 3000


def test_after_a_resume_finished_runs_stay_and_one_cut_short_is_completed(parent):
    before = TrialRuns(parent, "study")
    note(before, 0)
    cut_short = before._made(1, BEGAN)
    client().set_terminated(cut_short, "KILLED")  # as the end of the parent leaves it
    note(TrialRuns(parent, "another study"), 0)
    after = TrialRuns(Run(parent.id, resumed=True), "study")
    for number in range(3):
        note(after, number)
    own = [run for run in children(parent) if run.data.tags[STUDY] == "study"]
    assert [run.data.tags[TRIAL] for run in own] == ["0", "1", "2"]
    assert own[1].info.run_id == cut_short
    assert {run.info.status for run in own} == {"FINISHED"}
    assert own[1].data.params == {"detector": "network", "threshold": "0.25"}
