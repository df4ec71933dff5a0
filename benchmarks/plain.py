"""A plain PyTorch training, as a user would write it: PIL images, torchvision transforms, DataLoader, float32."""

from collections.abc import Callable

import torch
from PIL import Image
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Architecture, Classifier, build
from anomaly_mlflow.training.config import TrainConfig

__all__ = ["Pictures", "pipeline", "plain_fit"]

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class Pictures(Dataset):
    """An image set as torchvision.datasets.CIFAR10 is one: an array in memory, PIL images, a transform."""

    def __init__(self, samples: Samples, transform: Callable):
        self.data, self.targets, self.transform = samples.images, samples.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """One image, float32 (channels, height, width), and its label."""
        return self.transform(Image.fromarray(self.data[index])), self.targets[index]


def pipeline(padding: int = 4, padding_mode: str = "constant") -> transforms.Compose:
    """Random crop, random flip, tensor, normalisation: the usual transforms for CIFAR-10."""
    crop = transforms.RandomCrop(32, padding, padding_mode=padding_mode)
    steps = [crop, transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)]
    return transforms.Compose(steps)


def plain_fit(
    samples: Samples,
    config: TrainConfig,
    *,
    seed: int,
    device: str = "cpu",
    transform: Callable | None = None,
    workers: int = 0,
) -> Classifier:
    """Train the model of `config` from scratch, with its batch size, schedule and SGD."""
    torch.manual_seed(seed)
    model = build(Architecture(config.model, samples.image_shape, samples.num_classes, config.dropout)).to(device)
    pictures = Pictures(samples, transform or pipeline())
    loader = DataLoader(pictures, config.batch_size, shuffle=True, num_workers=workers, pin_memory=device != "cpu")
    optimizer = torch.optim.SGD(
        model.parameters(), config.learning_rate, momentum=0.9, nesterov=True, weight_decay=config.weight_decay
    )
    steps = config.epochs * len(loader) + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=steps)
    model.train()
    for _ in range(config.epochs):
        total = 0.0
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
    return model.eval()
