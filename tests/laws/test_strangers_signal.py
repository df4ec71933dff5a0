"""What CONTRIBUTING tells a stranger to type is typed here."""

import os
import re
import subprocess
import sys

import pytest
from desk import ROOT

COLUMN = "label.logit_gap"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The environment of a process that has the stranger's package installed."""
    folder = tmp_path_factory.mktemp("stranger")
    files = dict(re.findall(r"```(toml|python)\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL))
    assert sum(len(text.splitlines()) for text in files.values()) < 15
    package, site = folder / "my-signals", folder / "site"
    package.mkdir()
    (package / "pyproject.toml").write_text(files["toml"])
    (package / "my_signals.py").write_text(files["python"])
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--target", site]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, package], check=True, capture_output=True)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}


def typed(words, environment):
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_strangers_signal_is_held_to_every_law(installed):
    done = typed(["-m", "pytest", "-q", "tests/laws/test_signal_laws.py", "-k", "logit_gap"], installed)
    assert re.search(r"\b([6-9]|\d\d) passed", done.stdout), done.stdout[-2000:]
    assert done.returncode == 0


def test_a_strangers_signal_is_a_column_of_the_feature_table(installed):
    code = "import sys; sys.path[:0] = ['tests', 'tests/laws']\n"
    code += "from planted import world; from anomaly_mlflow.signals import feature_table\n"
    code += f"print(feature_table(world()[0])['{COLUMN}'].max())"
    done = typed(["-c", code], installed)
    assert done.returncode == 0 and float(done.stdout) > 0, done.stderr[-2000:]


def test_a_strangers_signal_changes_the_fingerprint_when_its_file_does(installed, tmp_path):
    code = "from anomaly_mlflow.signals import SIGNALS; from anomaly_mlflow.signals.plugins import plugin_digests\n"
    code += "print(plugin_digests(SIGNALS))"
    first = typed(["-c", code], installed).stdout
    assert "logit_gap" in first and "entropy" not in first
    site = tmp_path / "site"
    subprocess.run(["cp", "-r", installed["PYTHONPATH"].split(os.pathsep)[0], site], check=True)
    (site / "my_signals.py").write_text((site / "my_signals.py").read_text() + "\n")
    moved = {**installed, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    assert typed(["-c", code], moved).stdout != first


def test_a_package_that_cannot_be_loaded_is_named_in_one_line(installed, tmp_path):
    site = tmp_path / "site"
    subprocess.run(["cp", "-r", installed["PYTHONPATH"].split(os.pathsep)[0], site], check=True)
    (site / "my_signals.py").write_text("import nowhere_to_be_found\n")
    broken = {**installed, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    done = typed(["-m", "entry_points", "train_noisy", "--help"], broken)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "'my-signals' cannot be loaded" in done.stderr and "uninstall" in done.stderr
