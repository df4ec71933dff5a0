"""The pieces of MixMatch and DivideMix: guessed labels, mixed images, two losses and a prior.

Berthelot et al. (2019), NeurIPS (MixMatch); Li, Socher and Hoi (2020), ICLR (DivideMix, as in the code of the authors).
"""

from dataclasses import dataclass

import numpy as np
import torch

__all__ = [
    "DEFAULT",
    "MixMatchSettings",
    "mixed",
    "mixing_share",
    "mixmatch_loss",
    "prior_penalty",
    "ramp",
    "refined",
    "sharpen",
]


@dataclass(frozen=True)
class MixMatchSettings:
    """The constants of DivideMix on CIFAR-10; the ramp is scaled to trainings of some fifteen epochs.

    temperature: of sharpening. alpha: images are mixed in shares drawn from Beta(alpha, alpha). unlabelled_weight: of
    the squared error of the unlabelled rows, once it is ramped up; ramp_share: share of all epochs that this takes
    (16 of 300 epochs in the paper, which in so few would be a jump). prior_weight: of the penalty on a batch whose
    mean prediction is far from even. MixMatch's own constants (alpha .75, weight 75, no penalty, a moving average of
    the weights) are made for trainings a thousand times as long: in short ones whole classes were lost.
    """

    temperature: float = 0.5
    alpha: float = 4.0
    unlabelled_weight: float = 25.0
    ramp_share: float = 1 / 3
    prior_weight: float = 1.0


DEFAULT = MixMatchSettings()


def sharpen(probabilities: torch.Tensor, temperature: float) -> torch.Tensor:
    """p ** (1 / T) / sum_c p ** (1 / T), float (n, C) (MixMatch)."""
    powers = probabilities ** (1 / temperature)
    return powers / powers.sum(dim=1, keepdim=True)


def refined(targets: torch.Tensor, weight: torch.Tensor, guessed: torch.Tensor, temperature: float) -> torch.Tensor:
    """Targets of labelled rows: sharpen(w y + (1 - w) p), float (n, C) (DivideMix).

    targets: (n, C), one-hot or soft; weight: (n,), 0 to 1, trust in them; guessed: (n, C), mean prediction.
    """
    share = weight[:, None]
    return sharpen(share * targets + (1 - share) * guessed, temperature)


def mixing_share(alpha: float, rng: np.random.Generator) -> float:
    """max(l, 1 - l), l from Beta(alpha, alpha): the larger share, so that a row stays mostly what it is (MixMatch)."""
    share = float(rng.beta(alpha, alpha))
    return max(share, 1 - share)


def mixed(values: torch.Tensor, order: torch.Tensor, share: float) -> torch.Tensor:
    """share * values + (1 - share) * values[order] (mixup, Zhang et al. 2018), of images as of targets."""
    return share * values + (1 - share) * values[order]


def ramp(epoch: float, start: float, length: float) -> float:
    """0 until `start`, then linearly to 1 within `length` epochs."""
    return float(np.clip((epoch - start) / length, 0.0, 1.0)) if length > 0 else float(epoch >= start)


def mixmatch_loss(
    logits: torch.Tensor, targets: torch.Tensor, labelled: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy of the labelled rows, nats; mean squared error of the probabilities of the others.

    logits, targets: (n, C); labelled: bool (n,). Either is 0 where it has no row.
    """
    log_probabilities = logits.log_softmax(dim=1)
    known, guessed = log_probabilities[labelled], log_probabilities[~labelled]
    cross_entropy = -(targets[labelled] * known).sum() / max(1, len(known))
    return cross_entropy, (guessed.exp() - targets[~labelled]).square().sum() / max(1, guessed.numel())


def prior_penalty(logits: torch.Tensor) -> torch.Tensor:
    """sum_c pi_c ln(pi_c / mean_i p_ic), pi even: 0 where the batch's mean prediction is even."""
    rows, classes = logits.shape
    log_mean = logits.log_softmax(dim=1).logsumexp(dim=0) - np.log(rows)
    return -(log_mean + np.log(classes)).mean()
