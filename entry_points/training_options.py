"""Options of the trainings and of what is computed from them."""

import click

from anomaly_mlflow.data.augment import AUGMENTATIONS
from entry_points.option_kinds import COUNT, MODEL, POSITIVE, Auto, TextOrNone, option

__all__ = ["TRAINING_OPTIONS"]

TRAINING_OPTIONS = [
    option(
        "model", MODEL, "vit", "Model under study: one by its name, or any of the library timm, such as timm:resnet26."
    ),
    option(
        "epochs",
        Auto(COUNT),
        "auto",
        "Training epochs; auto: 15, or 40 for images under 16 pixels (15 in the glitch and memorization studies).",
    ),
    option(
        "batch_size",
        Auto(click.IntRange(min=2)),
        "auto",
        "Images per training batch, at least 2; auto: convnet 256, resnet18, resnet20 and convnext 128, vit and timm 64 (memorization: 64).",
    ),
    option(
        "learning_rate",
        Auto(POSITIVE),
        "auto",
        "Peak of the one-cycle schedule; auto: with SGD 0.2 (resnet18 0.05), with AdamW 0.002 (vit, convnext) or 0.001 (timm), from pretrained weights a fifth. In the glitch study the rate is constant; auto: a tenth of that.",
    ),
    option(
        "dropout", click.FloatRange(0, 1, max_open=True), 0.1, "Dropout before the head, also of the stochastic passes."
    ),
    option(
        "augmentation",
        Auto(click.Choice(AUGMENTATIONS)),
        "auto",
        "auto: crop for grey images, crop and flip for colour.",
    ),
    option(
        "precision",
        click.Choice(["auto", "32-true", "bf16-mixed"]),
        "auto",
        "auto: bfloat16 where the device has it in hardware and it pays: not for images under 16 pixels, nor on a CPU for depthwise convolutions.",
    ),
    option(
        "pretrained",
        click.Choice(["no", "yes"]),
        "no",
        "Start from the weights that timm publishes, downloaded once; only for timm:NAME.",
    ),
    option(
        "record",
        click.Choice(["batches", "evaluation"]),
        "batches",
        "Logits that are recorded: those of the training batches as they pass (free), or of an evaluation pass after each epoch (without augmentation and dropout; about half an epoch more).",
    ),
    option("folds", click.IntRange(2, 20), 5, "Folds of the cross-fitted clean side."),
    option("training_seed", click.IntRange(0, 2**31), 0, "Seed of the noisy model's training, the first of several."),
    option("seeds", click.IntRange(1, 100), 3, "Number of noisy models, with consecutive training seeds."),
    option("validation_folds", click.IntRange(2, 20), 3, "Folds of the models on given labels (out-of-fold logits)."),
    option("passes", click.IntRange(2, 1000), 30, "Stochastic passes with dropout on."),
    option(
        "geometry_encoder",
        TextOrNone(),
        "none",
        "Frozen encoder of the geometry: timm:NAME (published weights) or timm:NAME@PATH.safetensors; none: the clean side's (plan_budget: the models of other folds).",
    ),
]
