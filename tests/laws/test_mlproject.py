from pathlib import Path

import click
import pytest
import yaml

from anomaly_mlflow.tracking.fingerprint import imported_sources
from entry_points.cli import cli
from entry_points.mlproject import render
from entry_points.options import OPTIONS, RUNTIME_ONLY
from entry_points.step import STEPS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = yaml.safe_load((ROOT / "MLproject").read_text())


def test_mlproject_is_what_the_options_say():
    assert (ROOT / "MLproject").read_text() == render(), "run `make mlproject`"


@pytest.mark.parametrize("name", PROJECT["entry_points"])
def test_each_entry_point_offers_exactly_the_options_of_its_command(name):
    entry = PROJECT["entry_points"][name]
    command = cli().commands[name]
    assert set(entry["parameters"]) == {option.name for option in command.params}
    for option in command.params:
        assert f"--{option.name} {{{option.name}}}" in entry["command"]
        assert entry["parameters"][option.name]["default"] == option.default


def test_every_step_is_an_entry_point():
    assert set(PROJECT["entry_points"]) == set(STEPS)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_every_option_has_a_help_text_and_a_default_that_it_accepts(option):
    assert option.help and option.help.endswith(".")
    assert option.default is not None, "MLproject cannot pass on an empty default"
    option.type.convert(option.default, option, click.Context(click.Command("x")))


@pytest.mark.parametrize("step", STEPS.values(), ids=lambda step: step.name)
def test_a_step_takes_every_option_of_the_steps_it_needs(step):
    for need in step.needs:
        assert set(STEPS[need].options) - {STEPS[need].instead} <= set(step.options)
        assert STEPS[need].run_option is None or STEPS[need].run_option in step.options


def test_what_only_concerns_how_a_run_is_carried_out_exists():
    assert set(OPTIONS) >= RUNTIME_ONLY


def test_a_change_of_the_report_or_a_signal_does_not_change_what_a_training_is_made_from():
    for name in ("train_baseline", "generate_noise", "train_clean", "train_noisy"):
        sources = {str(path.relative_to(ROOT)) for path in imported_sources(f"entry_points.{name}", ROOT)}
        assert f"entry_points/{name}.py" in sources
        assert name == "generate_noise" or "anomaly_mlflow/training/loop.py" in sources
        assert not [path for path in sources if "/signals/" in path or "/detection/" in path or "/studies/" in path]
        assert "anomaly_mlflow/report/html.py" not in sources


def test_a_change_of_the_measures_does_not_change_what_a_glitched_training_is_made_from():
    sources = {str(path.relative_to(ROOT)) for path in imported_sources("entry_points.train_glitched", ROOT)}
    assert "anomaly_mlflow/training/loop.py" in sources and "anomaly_mlflow/signals/influence_scores.py" in sources
    assert not [path for path in sources if "/detection/" in path or "/report/" in path or "measures" in path]
    assert "draws" not in STEPS["train_glitched"].own and "draws" in STEPS["glitch"].own
