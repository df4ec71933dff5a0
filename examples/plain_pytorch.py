"""A plain PyTorch loop that records: three lines more. `python examples/plain_pytorch.py FOLDER [EPOCHS]`.

Then `python -m entry_points extract_features --recording FOLDER` says which labels look wrong.
"""

import sys

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from anomaly_mlflow.training.recorder import Recorder


def digits() -> TensorDataset:
    """Image, label and a number that names the sample; every twentieth label is wrong."""
    images, labels = load_digits(return_X_y=True)
    labels[::20] = (labels[::20] + 1) % 10
    return TensorDataset(torch.tensor(images / 16).float(), torch.tensor(labels), torch.arange(len(labels)))


def main(folder: str, epochs: int = 10) -> None:
    """Train a small network, and keep what each sample did in each epoch."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    recorder = Recorder(folder)
    for _ in range(epochs):
        for images, labels, sample_id in DataLoader(digits(), batch_size=64, shuffle=True):
            logits = model(images)
            loss = nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.record(sample_id, logits, labels)
    recorder.finish()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
