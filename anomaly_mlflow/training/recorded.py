"""One recorded training, kept on disk until the whole is done."""

from collections.abc import Callable
from pathlib import Path

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.checkpoints import is_saved, load_model, save_model
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.epoch_files import drop_epochs, read_recording
from anomaly_mlflow.training.folds import seen_digest
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.sinks import into
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["fit_recorded"]


def fit_recorded(
    samples: Samples,
    config: TrainConfig,
    *,
    seed: int,
    folder: Path,
    device: str = "auto",
    on_epoch: Callable[[], object] | None = None,
) -> tuple[Classifier, Recording | TopRecording]:
    """Train on all rows and record; a folder that holds the finished training is read.

    Raises what `fit` raises.
    """
    digest, epochs = seen_digest(samples.sample_id), folder / "recording"
    if not is_saved(folder, digest):
        drop_epochs(epochs, 0)  # of a process that died
        tick = (lambda *_: on_epoch()) if on_epoch else None
        model, _ = fit(samples, config, seed=seed, device=device, record=True, sink=into(epochs, 0), on_epoch=tick)
        save_model(model, folder, digest)
    return load_model(folder), read_recording(epochs)
