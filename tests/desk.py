"""A desk at which commands are typed as a user would, with a tracking store of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mlflow
from typist import typed

ROOT = Path(__file__).resolve().parents[1]
SMALL = ["--subset", "400", "--model", "convnet", "--epochs", "6", "--baseline_epochs", "4", "--folds", "3"]
SMALL += ["--seeds", "2", "--draws", "200", "--jobs", "1"]


@dataclass(frozen=True)
class Desk:
    """A folder with its own tracking store, where commands are typed."""

    folder: Path

    def type(self, *words: str, **variables: str) -> subprocess.CompletedProcess:
        """Run `python -m entry_points ...` in a process of its own; from nothing where variables are given."""
        if not variables:
            return typed([*map(str, words)], self.folder, self.environment())
        command = [sys.executable, "-m", "entry_points", *map(str, words)]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(**variables), capture_output=True, text=True
        )

    def environment(self, **variables: str) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        paths = {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        own = {"OMP_NUM_THREADS": "1", "ANOMALY_STATE": str(self.folder / "state")}
        return {**inherited, **paths, **own, **variables}

    @property
    def client(self) -> mlflow.MlflowClient:
        return mlflow.MlflowClient(f"sqlite:///{self.folder}/mlflow.db")

    def runs(self, step: str | None = None) -> list:
        """All runs, or those of a step, newest first."""
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        text = f"tags.`anomaly.step` = '{step}'" if step else ""
        return list(self.client.search_runs(experiments, text))

    def oldest(self, step: str, count: int = 1) -> list:
        """The first runs of a step: those that the main job made, whatever tests typed since."""
        return self.runs(step)[::-1][:count]

    def artifact(self, run_id: str, path: str) -> Path:
        return Path(self.client.get_run(run_id).info.artifact_uri, path)
