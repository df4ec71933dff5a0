"""The history of a training on its way to its run: every epoch on disk first, then sent, in order, once."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

from anomaly_mlflow.errors import BadData, RunNotFound
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.tracking.outbox import Outbox
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import save_model
from anomaly_mlflow.training.epoch_files import drop_epochs, write_epoch
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.resume import checkpoint_files, last_epoch
from anomaly_mlflow.training.whole_files import write_whole

__all__ = ["History"]

EPOCHS = ("recording", "snapshots", "metrics")


class History:
    """What a training writes epoch by epoch into a folder that outlives its process, and sends to the run.

    An epoch is sent once the training state after it is saved: only then will it never be trained again. A folder that
    an earlier process left behind is taken up; where this machine has none, what the run holds is fetched.
    """

    def __init__(self, run: Run, folder: Path):
        self.folder = folder
        self.checkpoint = folder / "checkpoint"
        if run.resumed and last_epoch(self.checkpoint) < 0:
            _fetch(run, folder)
        saved = last_epoch(self.checkpoint)
        drop_epochs(folder / "recording", saved + 1)
        self.epochs_done = saved + 1
        self._outbox = Outbox(run, folder)
        for epoch in range(saved + 1):
            self._put(epoch)

    def record(self, epoch: int, recording: Recording) -> None:
        """Take an epoch from the recorder."""
        write_epoch(self.folder / "recording", epoch, recording)

    def note(self, epoch: int, metrics: dict[str, float], snapshot: Classifier | None) -> None:
        """Keep the metrics of an epoch, and the model as it is now."""
        if snapshot is not None:
            save_model(snapshot, self.folder / "snapshots" / _name(epoch))
        write_whole(self._metrics_file(epoch), json.dumps(metrics))

    def send(self, epoch: int) -> None:
        """Let an epoch go, and the training state after it; returns at once."""
        self._put(epoch)
        self._outbox.replace(checkpoint_files(self.checkpoint)[0])

    def drain(self) -> None:
        """Wait until everything has arrived. Raises ServerUnavailable where the server stays away too long."""
        self._outbox.drain()

    def close(self) -> None:
        """Stop sending at once; what is unsent stays in the folder."""
        self._outbox.close()

    def _put(self, epoch: int) -> None:
        folders = [self.folder / kind / _name(epoch) for kind in EPOCHS]
        files = [path for folder in folders for path in sorted(folder.glob("*")) if path.suffix != ".part"]
        self._outbox.put(epoch, self._metrics(epoch), files)

    def _metrics(self, epoch: int) -> dict[str, float]:
        """Raises BadData where the file is missing or damaged."""
        path = self._metrics_file(epoch)
        try:
            metrics = json.loads(path.read_text())
            return {key: float(value) for key, value in metrics.items()}
        except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise BadData(f"{path} cannot be read ({error}); remove {self.folder} to train anew") from None

    def _metrics_file(self, epoch: int) -> Path:
        return self.folder / "metrics" / _name(epoch) / "metrics.json"


def _name(epoch: int) -> str:
    return f"epoch={epoch:04d}"


def _fetch(run: Run, folder: Path) -> None:
    """Bring the history that another machine sent to the run; the checkpoint last, which makes it count."""
    for kind in (*EPOCHS, "checkpoint"):
        with suppress(RunNotFound):  # the first snapshot comes late; without a checkpoint all begins anew
            shutil.copytree(run.path(kind), folder / kind, dirs_exist_ok=True)
