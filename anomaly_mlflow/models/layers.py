"""What passes through the depth of a network."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import nn

__all__ = ["average_positions", "evenly", "stage_outputs"]


def stage_outputs(
    stages: Sequence[nn.Module], forward: Callable[[], torch.Tensor], reduce: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Run `forward`; give back each stage's output, reduced as it passes, and what `forward` returned.

    A stage that returns several tensors counts with the last one. Raises RuntimeError where a stage was not run.
    """
    found: dict[int, torch.Tensor] = {}

    def keep(number: int) -> Callable:
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            found[number] = reduce(_last_tensor(output))

        return hook

    handles = [stage.register_forward_hook(keep(number)) for number, stage in enumerate(stages)]
    try:
        result = forward()
    finally:
        for handle in handles:
            handle.remove()
    if len(found) < len(stages):
        raise RuntimeError("a stage of the model was not run")
    return [found[number] for number in range(len(stages))], result


def average_positions(output: torch.Tensor, channel_axis: int = 1) -> torch.Tensor:
    """Mean over all positions, (n, d), of maps (n, d, height, width) or tokens (n, t, d).

    channel_axis: -1 for maps (n, height, width, d).
    """
    axis = (channel_axis if output.ndim == 4 else output.ndim - 1) % output.ndim
    positions = [other for other in range(1, output.ndim) if other != axis]
    return output.mean(dim=positions) if positions else output


def evenly(items: Sequence, most: int) -> list:
    """At most so many of the items, evenly spaced, always with the last one."""
    if len(items) <= most:
        return list(items)
    bounds = [round(len(items) * part / most) for part in range(most + 1)]
    return [items[end - 1] for _, end in pairwise(bounds)]


def _last_tensor(output: object) -> torch.Tensor:
    if isinstance(output, torch.Tensor):
        return output
    tensors = [part for part in output if isinstance(part, torch.Tensor)] if isinstance(output, tuple | list) else []
    if not tensors:
        raise RuntimeError("a stage of the model returns no tensor")
    return tensors[-1]
