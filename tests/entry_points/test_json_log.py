"""ANOMALY_LOG=json: every line on stderr is a JSON object that says when, how grave, which step, which run."""

import json
import logging
from datetime import datetime

import pytest
from typist import typed

from anomaly_mlflow.tracking import current
from anomaly_mlflow.tracking.json_lines import JsonLine
from entry_points import terminal

pytestmark = pytest.mark.filterwarnings("default")

SMALL = ["--subset", "200", "--baseline_epochs", "1", "--baseline_folds", "2", "--jobs", "1"]


def lines(text):
    found = [json.loads(line) for line in text.splitlines()]
    for line in found:
        assert {"time", "level", "logger", "step", "run_id", "message"} <= set(line)
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
    return found


def record(message, *values, level=logging.INFO, name="entry_points.resolve"):
    return logging.LogRecord(name, level, "file", 1, message, values, None)


@pytest.fixture
def at_a_run(monkeypatch):
    monkeypatch.setattr(current, "_open", [("judge", "abc")])


def test_each_line_of_a_command_names_its_own_step_and_run(desk):
    environment = desk.environment(ANOMALY_LOG="json")
    done = typed(["generate_noise", *SMALL], desk.folder, environment)
    assert done.returncode == 0, done.stderr
    said = lines(done.stderr)
    ids = {step: desk.runs(step)[0].info.run_id for step in ("train_baseline", "generate_noise")}
    links = [line for line in said if line["message"].startswith(f"{line['step']}: http")]
    assert [line["step"] for line in links] == ["train_baseline", "generate_noise"]
    assert all(line["run_id"] == ids[line["step"]] and line["run_id"] in line["message"] for line in links)
    assert all(line["level"] == "INFO" for line in links)
    done = typed(["generate_noise", *SMALL, "--ood", "parquet:nowhere.parquet"], desk.folder, environment)
    (error,) = [line for line in lines(done.stderr) if line["level"] == "ERROR"]
    (failed,) = [run for run in desk.runs("generate_noise") if run.info.status == "FAILED"]
    assert done.returncode == 1 and error["run_id"] == failed.info.run_id and "nowhere.parquet" in error["message"]


def test_a_command_that_comes_to_no_run_says_its_error_as_json_too(desk):
    done = typed(["judge", "--draws", "none"], desk.folder, desk.environment(ANOMALY_LOG="json"))
    (error,) = lines(done.stderr)
    assert done.returncode == 2 and error["level"] == "ERROR" and error["run_id"] is None


def test_a_line_of_json_stays_one_line_and_hides_nothing_of_an_exception(at_a_run):
    made = record("two\nlines %s", "\x1b[2J", level=logging.ERROR)
    try:
        raise ValueError("why")
    except ValueError as error:
        made.exc_info = (ValueError, error, error.__traceback__)
    text = JsonLine().format(made)
    (line,) = lines(text)
    assert "\n" not in text and text.isprintable()
    assert line["message"] == "two\nlines \x1b[2J" and (line["step"], line["run_id"]) == ("judge", "abc")
    assert "ValueError: why" in line["exception"]


@pytest.mark.parametrize(
    ("level", "name", "said"),
    [
        (logging.INFO, "entry_points.resolve", "x 1"),
        (logging.WARNING, "anomaly_mlflow", "WARNING: x 1"),
        (logging.ERROR, "anomaly_mlflow.tracking.lease", "error: x 1"),
        (logging.ERROR, "entry_points_of_others", "ERROR: x 1"),
    ],
)
def test_without_it_lines_are_plain(level, name, said, at_a_run):
    assert terminal._Plain().format(record("x %d", 1, level=level, name=name)) == said
