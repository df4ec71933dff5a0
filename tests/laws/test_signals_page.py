import subprocess
import sys
from pathlib import Path

import pytest

from anomaly_mlflow.signals import FAMILIES, SIGNALS
from anomaly_mlflow.signals.catalogue import catalogue, listing
from entry_points.step import STEPS

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_signals_is_what_the_registry_says():
    assert (ROOT / "docs" / "signals.md").read_text() == catalogue(), "run `make docs`"


@pytest.mark.parametrize("signal", SIGNALS.values(), ids=lambda signal: signal.column)
def test_the_page_has_one_row_for_a_signal_below_its_family(signal):
    section = catalogue().split(f"\n## {signal.family}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith(f"| `{signal.name}` |")]
    assert len(rows) == 1
    cells = [cell.strip() for cell in rows[0].replace(r"\|", "").split("|")[1:-1]]
    assert len(cells) == 6 and all(cells), "a table row has six cells"
    assert signal.function.__doc__.split()[0] in rows[0].replace("\\", "")
    for said in (*signal.targets, *signal.needs, signal.cost):
        assert said in rows[0]
    assert FAMILIES[signal.family] in section


def test_a_step_lies_in_the_module_of_its_name():
    # so that `python -m entry_points.NAME` is `python -m entry_points NAME`
    assert {step.function.__module__ for step in STEPS.values()} == {f"entry_points.{name}" for name in STEPS}


def test_the_help_of_extract_features_lists_every_signal_however_it_is_called():
    texts = [help_of("entry_points", "extract_features"), help_of("entry_points.extract_features")]
    assert texts[0] == texts[1]
    for line in listing().splitlines():
        assert line.strip() in map(str.strip, texts[0].splitlines())
    for signal in SIGNALS.values():
        assert signal.column in listing().splitlines()


def help_of(*words):
    command = [sys.executable, "-m", *words, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
