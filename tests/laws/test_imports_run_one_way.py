from pathlib import Path

import pytest
from import_rules import violations

ROOT = Path(__file__).parents[2]


def planted_tree(root, files):
    """A package that keeps the rules, with these files put over it."""
    good = {
        "__init__.py": "__version__ = '0'\n",
        "errors.py": "class AnomalyError(Exception): ...\n",
        "data/__init__.py": "",
        "data/samples.py": "import numpy\nfrom anomaly_mlflow.errors import AnomalyError\n",
        "signals/__init__.py": "from anomaly_mlflow.signals import first, second\n",
        "signals/base.py": "from anomaly_mlflow.data.samples import AnomalyError\n",
        "signals/first.py": "from anomaly_mlflow.signals.base import AnomalyError\n",
        "signals/second.py": "def f():\n    from anomaly_mlflow.signals import first\n",
        "tracking/__init__.py": "import mlflow\nfrom anomaly_mlflow.errors import AnomalyError\n",
        "tracking/sink.py": "from anomaly_mlflow.tracking import mlflow\n",
    }
    for name, text in (good | files).items():
        path = root / "anomaly_mlflow" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_imports_of_the_package_run_one_way():
    assert violations(ROOT) == []


def test_a_tree_that_keeps_the_rules_passes(tmp_path):
    assert violations(planted_tree(tmp_path, {})) == []


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("data/up.py", "import anomaly_mlflow.signals.base\n", "downward only"),
        ("data/up.py", "from anomaly_mlflow.signals import base\n", "downward only"),
        ("data/up.py", "from anomaly_mlflow import signals\n", "downward only"),
        ("data/up.py", "def f():\n    from anomaly_mlflow.signals.base import x\n", "downward only"),
        ("data/up.py", "if TYPE_CHECKING:\n    from anomaly_mlflow.signals.base import x\n", "downward only"),
        ("data/up.py", "import importlib\nimportlib.import_module('anomaly_mlflow.signals')\n", "downward only"),
        ("signals/base.py", "from anomaly_mlflow.signals.first import x\n", "import each other"),
        ("signals/first.py", "from anomaly_mlflow.signals import SIGNALS\n", "import each other"),
        ("signals/first.py", "from .base import x\n", "absolute"),
        ("signals/first.py", "import mlflow\n", "only tracking"),
        ("signals/first.py", "def f():\n    from mlflow.tracking import MlflowClient\n", "only tracking"),
        ("signals/first.py", "from anomaly_mlflow.tracking import sink\n", "stands apart"),
        ("tracking/sink.py", "from anomaly_mlflow.data.samples import Samples\n", "stands apart"),
        ("errors.py", "from anomaly_mlflow.data import samples\n", "import nothing"),
        ("__init__.py", "import anomaly_mlflow.data\n", "import nothing"),
        ("signals/first.py", "import anomaly_mlflow\n", "nobody imports the whole"),
        ("signals/first.py", "import entry_points.main\n", "by nobody"),
        ("plugins/new.py", "from anomaly_mlflow.data import samples\n", "no place in the order"),
    ],
)
def test_a_planted_breach_is_caught(tmp_path, file, text, complaint):
    found = violations(planted_tree(tmp_path, {file: text}))
    assert found and any(complaint in line for line in found)
