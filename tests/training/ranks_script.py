"""Trainings over ranks: `torchrun --nproc-per-node 2 ranks_script.py FOLDER dies|whole`."""

import sys
from pathlib import Path

from anomaly_mlflow.data.sources import load
from anomaly_mlflow.training.checkpoints import save_model
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.epoch_files import write_epoch
from anomaly_mlflow.training.ranks import fit_over_ranks, run_on_ranks

EXACT = TrainConfig("vit", epochs=3, batch_size=39, learning_rate=0.2, dropout=0.0)
DRAWN = TrainConfig("convnet", epochs=4, batch_size=32, learning_rate=0.05, augmentation="flip", dropout=0.3)


def samples():
    """117 digits: three batches of 39, of which one rank takes 20 and the other 19."""
    return load("digits", subset=117)


def train(folder, config, train=fit_over_ranks, last=99, **options):
    """Train with recording and checkpoints, as train_noisy does; the process ends after the epoch `last`."""

    def on_saved(epoch):
        if epoch == last:
            sys.exit(7)

    def sink(epoch, recording):
        write_epoch(folder / "recording", epoch, recording)

    model, _ = train(
        samples(),
        config,
        seed=3,
        device="cpu",
        record=True,
        sink=sink,
        checkpoint=folder / "checkpoint",
        on_saved=on_saved,
        **options,
    )
    save_model(model, folder / "model")


def command():
    """Die in the midst of a training; or take it up, and make two others."""
    folder = Path(sys.argv[1])
    if sys.argv[2] == "dies":
        train(folder / "broken", DRAWN, last=1)
    train(folder / "broken", DRAWN)
    train(folder / "whole", DRAWN)
    train(folder / "exact", EXACT)
    train(folder / "evaluated", DRAWN, evaluate=True)
    return 0


if __name__ == "__main__":
    sys.exit(run_on_ranks(command))
