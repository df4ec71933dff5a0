"""Finished train_noisy and extract_features runs with planted recordings, weights and features, in any store."""

import json

import mlflow
import numpy as np
import pandas as pd

from anomaly_mlflow.training.epoch_files import write_epoch
from anomaly_mlflow.training.recording import Recording

EPOCHS, ROWS = 3, 20


class Store:
    """Plants runs that ended so many days ago."""

    def __init__(self, client, folder):
        self.client, self.folder = client, folder

    def noisy(self, days, status="FINISHED"):
        run_id = self._made("train_noisy")
        rng = np.random.default_rng(days)
        for epoch in range(EPOCHS):
            logits = rng.normal(size=(1, ROWS, 3)).astype(np.float16)
            recording = Recording(logits, rng.integers(0, 3, ROWS), np.arange(ROWS), np.ones(1))
            file = write_epoch(self.folder / "planted" / run_id, epoch, recording)
            self.client.log_artifact(run_id, str(file), f"recording/{file.parent.name}")
        self.client.log_text(run_id, "weights", "snapshots/epoch=0002/weights.safetensors")
        self._ended(run_id, days, status)
        return run_id

    def features(self, noisy, signals="all", table=True, status="FINISHED", experiment="0"):
        run_id = self._made("extract_features", experiment)
        self.client.log_param(run_id, "signals", signals)
        self.client.log_text(
            run_id, json.dumps({"train_noisy": [noisy] if isinstance(noisy, str) else noisy}), "upstream.json"
        )
        if table:
            file = self.folder / "features.parquet"
            pd.DataFrame({"sample_id": np.arange(ROWS)}).to_parquet(file)
            self.client.log_artifact(run_id, str(file))
        self._ended(run_id, 0, status)
        return run_id

    def files(self, run_id, folder=""):
        """Paths of all artifact files."""
        entries = self.client.list_artifacts(run_id, folder)
        return {path for each in entries for path in (self.files(run_id, each.path) if each.is_dir else {each.path})}

    def _made(self, step, experiment="0"):
        return self.client.create_run(experiment, tags={"anomaly.step": step}).info.run_id

    def _ended(self, run_id, days, status):
        now = mlflow.utils.time.get_current_time_millis()
        self.client.set_terminated(run_id, status, end_time=now - days * 86_400_000)
