"""The recorder as a Lightning callback. `python examples/lightning_callback.py [EPOCHS]`, with `pip install lightning`.

The recording goes into an MLflow run; `python -m entry_points extract_features --recording RUN_ID` reads it.
"""

import sys

import lightning
import torch
from plain_pytorch import digits
from torch import nn
from torch.utils.data import DataLoader

from anomaly_mlflow.tracking.recording_run import to_run
from anomaly_mlflow.training.recorder import Recorder


class RecordLogits(lightning.Callback):
    """Records what `training_step` gives back: a dict with loss, sample_id, logits and labels."""

    def __init__(self, recorder: Recorder):
        self.recorder = recorder

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:  # noqa: ANN001
        """Keep the logits of a batch."""
        self.recorder.record(outputs["sample_id"], outputs["logits"], outputs["labels"])

    def on_train_epoch_end(self, trainer, module) -> None:  # noqa: ANN001
        """Close an epoch."""
        self.recorder.end_epoch()

    def on_train_end(self, trainer, module) -> None:  # noqa: ANN001
        """Close the recording."""
        self.recorder.finish()


class Classifier(lightning.LightningModule):
    """A small network."""

    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> dict[str, torch.Tensor]:
        """The loss, and what the callback records."""
        images, labels, sample_id = batch
        logits = self.model(images)
        loss = nn.functional.cross_entropy(logits, labels)
        return {"loss": loss, "sample_id": sample_id, "logits": logits.detach(), "labels": labels}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """SGD."""
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


def main(epochs: int = 10) -> None:
    """Train the network, and send what each sample did in each epoch to a run."""
    lightning.seed_everything(0)
    callback = RecordLogits(Recorder(to_run("digits")))
    trainer = lightning.Trainer(max_epochs=epochs, callbacks=[callback], logger=False, enable_checkpointing=False)
    trainer.fit(Classifier(), DataLoader(digits(), batch_size=64, shuffle=True))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
