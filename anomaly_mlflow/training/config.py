"""How a model is trained: every number that shapes the weights."""

from dataclasses import asdict, dataclass

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.models import find
from anomaly_mlflow.training.device import choose_precision

__all__ = ["TrainConfig", "configure"]

SCHEDULES = {"one_cycle": 1.0, "constant": 0.1, "cosine": 0.5}
"""Schedule -> share of the peak of one cycle, which its first steps lead up to, that it trains with by default."""


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training; frozen; logged as training.json.

    learning_rate: of every step where the schedule is constant, the peak where it is one_cycle (Smith & Topin 2019),
    the first where it is cosine (annealed to 0 over all steps: Loshchilov & Hutter 2017, without restarts);
    augmentation: none, crop or flip;
    precision: 32-true or bf16-mixed, in the words of Lightning Fabric; pretrained: start from published weights.
    label_smoothing: share of the target that goes to all classes evenly (Szegedy et al. 2016, CVPR); what is recorded
    are the logits, which it leaves as they are.
    Raises UnknownName, BadOption.
    """

    model: str
    epochs: int = 15
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    dropout: float = 0.1
    augmentation: str = "none"
    precision: str = "32-true"
    pretrained: bool = False
    label_smoothing: float = 0.0
    schedule: str = "one_cycle"

    def __post_init__(self) -> None:
        if find(self.model).pretrained is None and self.pretrained:
            raise BadOption(f"model '{self.model}' has no pretrained weights; take timm:NAME or pretrained=no")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule '{self.schedule}' is none of {', '.join(SCHEDULES)}")
        if self.epochs < 1 or self.batch_size < 2 or self.learning_rate <= 0 or not 0 <= self.dropout < 1:
            raise BadOption(f"epochs, batch size and learning rate must be positive, dropout in 0..1: {self}")

    def to_dict(self) -> dict:
        """Plain types for JSON."""
        return asdict(self)


def configure(
    model: str, image_shape: tuple[int, int, int], device: str = "auto", images: int | None = None, **chosen: object
) -> TrainConfig:
    """The model's own settings for images of this shape on this device; `chosen` overrides, None means default.

    images: how many there are; the model's own batch is no larger.

    Colour images are shifted and mirrored, grey ones only shifted: a mirrored digit is another sign. Pretrained
    weights are tuned at a fifth of the learning rate, so that they are not lost in the first steps. A constant rate is
    a tenth of the peak of one cycle, the first of cosine annealing half of it.
    """
    recipe = find(model)
    own = {"augmentation": "flip" if image_shape[2] == 3 else "crop", "precision": "auto", **recipe.settings}
    if chosen.get("pretrained"):
        own["learning_rate"] = own.get("learning_rate", TrainConfig.learning_rate) / 5
    if chosen.get("schedule") in SCHEDULES:
        own["learning_rate"] = own.get("learning_rate", TrainConfig.learning_rate) * SCHEDULES[chosen["schedule"]]
    if images is not None:
        own["batch_size"] = min(own.get("batch_size", TrainConfig.batch_size), images)
    if min(image_shape[:2]) < 16:
        own["epochs"] = 40  # an epoch of tiny images costs next to nothing
    settings = own | {key: value for key, value in chosen.items() if value is not None}
    settings["precision"] = choose_precision(str(settings["precision"]), device, image_shape, recipe.bfloat16)
    return TrainConfig(model, **settings)
