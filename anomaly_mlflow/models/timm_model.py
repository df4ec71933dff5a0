"""Any model of timm by name: `timm:resnet18`."""

from functools import cache, partial

import timm
import torch
from torch import nn

from anomaly_mlflow.errors import AnomalyError, BadOption
from anomaly_mlflow.models.layers import average_positions, evenly, stage_outputs
from anomaly_mlflow.models.registry import ImageShape, Recipe, family
from anomaly_mlflow.models.timm_weights import create_from_file, first_line, published_weights

__all__ = ["TimmModel"]


class TimmModel(nn.Module):
    """A timm model without its head; stages are at most six of the places where timm gives out features.

    Its width comes from one pass over an empty image. Raises BadOption where the model cannot take the images.
    """

    def __init__(self, name: str, image_shape: ImageShape, pretrained: bool = False):
        super().__init__()
        try:
            self.net = _create(name, image_shape, pretrained)
            # Fused attention's backward pass in bfloat16 is several times slower on a CPU.
            for module in self.net.modules() if not torch.cuda.is_available() else ():
                if hasattr(module, "fused_attn"):
                    module.fused_attn = False
            self.stages, self.channel_axis, self.width = _look(self.net, image_shape)
        except AnomalyError:
            raise
        except Exception as error:  # whatever one of a thousand models makes of an image that is too small
            size = "x".join(map(str, image_shape))
            raise BadOption(
                f"model 'timm:{name}' cannot take images of {size} ({first_line(error)}); choose another model"
            ) from None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embedding (n, width)."""
        return average_positions(self.net(images), self.channel_axis)


@family("timm", timm.list_models)
def timm_model(name: str) -> Recipe:
    """AdamW for all: it trains transformers, and convolutional models with or without batch normalisation, alike."""
    return Recipe(
        body=partial(TimmModel, name),
        pretrained=partial(TimmModel, name, pretrained=True),
        bfloat16=partial(_bfloat16, name),
        settings={"optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 0.05, "batch_size": 64},
    )


@cache
def _bfloat16(name: str, image_shape: ImageShape) -> bool:
    """Whether bfloat16 is safe and pays on a CPU.

    Depthwise convolutions, a sixth of all or more as in MobileNet and ConvNeXt, are slower in it. The gradient of a
    strided convolution over a map of one pixel is not a number in it (torch 2.15, CPU with AMX).
    """
    convolutions: list[tuple[bool, bool]] = []

    def note(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        one_pixel = min(inputs[0].shape[-2:]) == 1 and max(module.stride) > 1 and max(module.kernel_size) > 1
        convolutions.append((module.groups == module.in_channels > 1, one_pixel))

    try:
        with torch.device("meta"), torch.no_grad():  # shapes alone: no memory, no random numbers
            net = _create(name, image_shape, pretrained=False).eval()
            for module in net.modules():
                if isinstance(module, nn.Conv2d):
                    module.register_forward_pre_hook(note)
            net(torch.zeros(2, image_shape[2], *image_shape[:2]))
    except Exception:  # a model that cannot be looked at this way stays in float32
        return False
    depthwise, one_pixel = zip(*convolutions, strict=True) if convolutions else ((), ())
    return not any(one_pixel) and 6 * sum(depthwise) < max(1, len(convolutions))


def _create(name: str, image_shape: ImageShape, pretrained: bool) -> nn.Module:
    height, width, channels = image_shape
    make = partial(create_from_file, name, published_weights(name)) if pretrained else partial(_random, name)
    if timm.get_pretrained_cfg(name).fixed_input_size:
        try:
            return make(in_chans=channels, img_size=(height, width))
        except TypeError:  # the model takes no img_size
            pass
    return make(in_chans=channels)


def _random(name: str, **arguments: object) -> nn.Module:
    return timm.create_model(name, num_classes=0, **arguments)


@torch.no_grad()
def _look(net: nn.Module, image_shape: ImageShape) -> tuple[list[nn.Module], int, int]:
    """Stages, the axis of the channels in their maps, and the width of the embedding."""
    height, width, channels = image_shape
    stages = _stages(net)
    net.eval()
    outputs, embedding = stage_outputs(stages, lambda: net(torch.zeros(2, channels, height, width)), lambda one: one)
    net.train()
    axis = _channel_axis(net, outputs[-1])
    shapes = [average_positions(one, axis).shape for one in [*outputs, embedding]]
    if any(len(shape) != 2 for shape in shapes):
        raise RuntimeError("a stage gives neither a map nor tokens")
    return stages, axis, shapes[-1][1]


def _stages(net: nn.Module) -> list[nn.Module]:
    modules = dict(net.named_modules())
    names = dict.fromkeys(place["module"] for place in net.feature_info)
    found = [modules[name] for name in names if name and name in modules]
    if len(found) < 3:  # timm misnames them: the longest list of blocks at the top
        blocks = max((one for one in net.children() if isinstance(one, nn.ModuleList | nn.Sequential)), key=len)
        found = [one[-1] if isinstance(one, nn.ModuleList) else one for one in blocks]
    return evenly(found, 6)


def _channel_axis(net: nn.Module, last: torch.Tensor) -> int:
    """-1 where the maps are (n, height, width, channels), told by timm or by the number of channels."""
    channels = net.feature_info[-1]["num_chs"]
    told = getattr(net, "output_fmt", "NCHW") == "NHWC"
    return -1 if told or (last.ndim == 4 and last.shape[1] != channels and last.shape[-1] == channels) else 1
