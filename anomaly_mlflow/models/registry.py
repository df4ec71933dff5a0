"""Models by name: how each is made and trained."""

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches

from torch import nn

from anomaly_mlflow.errors import UnknownName

__all__ = ["FAMILIES", "MODELS", "ImageShape", "Recipe", "family", "find", "model", "spoken_names"]

ImageShape = tuple[int, int, int]
"""Height, width, channels."""

Body = Callable[[ImageShape], nn.Module]


@dataclass(frozen=True)
class Recipe:
    """How a model is made, and the settings that it trains well with.

    body: image_shape -> module (n, channels, height, width) -> (n, width), with the attributes `width` and `stages`
    (3 to 7 of its submodules in order of depth). pretrained: the same with published weights, None where there are
    none. channels_last: the memory format that pays for convolutions. bfloat16:
    whether it is safe and pays on a CPU for images of a shape. settings: what differs from TrainConfig.
    """

    body: Body
    pretrained: Body | None = None
    channels_last: bool = True
    bfloat16: Callable[[ImageShape], bool] = lambda image_shape: True
    settings: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """Models called `prefix:NAME`, such as another library's: their names, and name -> Recipe.

    spoken: whether a user is told of them; not of what only a training puts together.
    """

    names: Callable[[], list[str]]
    recipe: Callable[[str], Recipe]
    spoken: bool = True


MODELS: dict[str, Recipe] = {}
FAMILIES: dict[str, Family] = {}


def model(name: str, **declared: object) -> Callable[[Body], Body]:
    """Register a function image_shape -> body with what a Recipe declares. Raises ValueError on a taken name."""

    def register(function: Body) -> Body:
        if name in MODELS:
            raise ValueError(f"model '{name}' is registered already")
        MODELS[name] = Recipe(function, **declared)
        return function

    return register


def family(prefix: str, names: Callable[[], list[str]], spoken: bool = True) -> Callable:
    """Register a function name -> Recipe for all models called `prefix:NAME`. Raises ValueError on a taken prefix."""

    def register(function: Callable[[str], Recipe]) -> Callable[[str], Recipe]:
        if prefix in FAMILIES:
            raise ValueError(f"model family '{prefix}' is registered already")
        FAMILIES[prefix] = Family(names, function, spoken)
        return function

    return register


def find(name: str) -> Recipe:
    """The recipe of a name. Raises UnknownName that suggests close ones and lists the known."""
    prefix, _, rest = name.partition(":")
    if name in MODELS:
        return MODELS[name]
    if prefix in FAMILIES and rest in FAMILIES[prefix].names():
        return FAMILIES[prefix].recipe(rest)
    raise UnknownName("model", name, spoken_names(), _close(name))


def spoken_names() -> list[str]:
    """What a user may write: the registered names, and `prefix:NAME` for each family."""
    return [*sorted(MODELS), *(f"{prefix}:NAME" for prefix in sorted(FAMILIES) if FAMILIES[prefix].spoken)]


def _close(name: str) -> list[str]:
    spoken = {prefix: other for prefix, other in FAMILIES.items() if other.spoken}
    full = {one: f"{prefix}:{one}" for prefix, other in spoken.items() for one in other.names()}
    full |= {one: one for one in MODELS}
    return [full[one] for one in get_close_matches(name.rpartition(":")[2], full)]
