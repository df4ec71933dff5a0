"""Options of the studies of cells: glitches, robustness, memorization, fusion, and of the monitor."""

import click

from anomaly_mlflow.anomalies.glitches import GLITCHES, LARGEST_RATIO
from anomaly_mlflow.anomalies.graded_corruptions import GRADED
from anomaly_mlflow.models.fusion import MODALITIES
from entry_points.option_kinds import COUNT, MODEL, SHARE, Auto, Number, TextOrNone, option

__all__ = ["GRID_OPTIONS"]

GRID_OPTIONS = [
    option(
        "datasets",
        click.STRING,
        "digits",
        "Data sources of the glitch study, as under dataset; several separated by |.",
    ),
    option(
        "tests", TextOrNone(), "none", "Sources of their test images, one each, separated by |; none: held-out tenths."
    ),
    option(
        "models",
        click.STRING,
        "convnet",
        "Models of the glitch, robustness and memorization studies, as under model, separated by commas; robustness takes registered ones too (models:/NAME@champion).",
    ),
    option(
        "corruptions",
        click.STRING,
        "all",
        f"Corruptions of the robustness study, separated by commas: {', '.join(GRADED)}; all: every one.",
    ),
    option(
        "registered",
        TextOrNone(),
        "none",
        "Registered model (models:/NAME@champion or models:/NAME/VERSION) that monitor watches or decay_curves judges; none: monitor finds or trains the clean model, decay_curves trains one.",
    ),
    option(
        "conflict_share",
        Number(0, LARGEST_RATIO, min_open=True),
        0.2,
        f"Share of the labels that are replaced by another class each, the true one excluded (above 0, at most {LARGEST_RATIO}).",
    ),
    option(
        "pair",
        Auto(click.STRING),
        "auto",
        "Two classes that memorization also trains on alone: NAME,NAME; auto: cat,dog, else 3,5, else the first two.",
    ),
    option(
        "two_classes",
        TextOrNone(),
        "none",
        "Two classes that conflicting_labels trains on alone: NAME,NAME; none: all.",
    ),
    option(
        "anomalies",
        Auto(click.STRING),
        "auto",
        "Source of the images that are appended as anomalies, of one class; one for each data set, separated by |: photographs, noise or a data source; auto: fashion_mnist for mnist and cifar10, mnist for fashion_mnist, else photographs.",
    ),
    option("glitches", click.STRING, "all", f"Glitches to study, separated by commas: {', '.join(GLITCHES)}."),
    option("glitch", click.Choice(list(GLITCHES)), "uniform", "What is done to the data."),
    option(
        "glitch_ratio",
        Number(0, LARGEST_RATIO, min_open=True),
        0.1,
        f"Share of the images that are hit or, for anomalies, appended (above 0, at most {LARGEST_RATIO}).",
    ),
    option("reference_noise", SHARE, 0.0, "Share of wrong labels in the reference set (0 to 1)."),
    option(
        "ablations",
        click.STRING,
        "none",
        "Further cells of the glitch study, separated by commas: ratios (1 to 30 %), reference (20 % wrong labels in it); none, all.",
    ),
    option(
        "grid",
        click.Choice(["typed", "paper"]),
        "typed",
        "paper: three data sets of a tenth of their images, three models, five seeds and all ablations, where no value was typed.",
    ),
    option("encoder", MODEL, "convnet", "Image encoder of the fusion network, one of those under model."),
    option(
        "modalities",
        click.Choice(MODALITIES),
        "both",
        "Sources that the fusion network uses; image, metadata: that one alone, a control.",
    ),
    option(
        "consistent_share",
        SHARE,
        1.0,
        "Share of training pairs whose metadata name the image's class (0 to 1); the others name another, the same in every epoch.",
    ),
    option(
        "metadata_noise",
        SHARE,
        0.0,
        "Probability that the metadata of a training pair name another class, drawn anew in every epoch (0 to 1).",
    ),
    option(
        "modality_dropout",
        Number(0, 1, max_open=True),
        0.0,
        "Probability that a training pair's metadata embedding is zero (0 to below 1).",
    ),
    option(
        "embedding_noise",
        Number(0, 100),
        0.0,
        "Gaussian noise on the metadata embedding in training, in deviations of the embedding (0 to 100).",
    ),
    option(
        "metadata_scale",
        Number(0, 100, min_open=True),
        1.0,
        "Factor on the metadata embedding, which is as loud as the image's at 1 (above 0, at most 100).",
    ),
    option(
        "pairs",
        COUNT,
        500,
        "Contradictory test pairs of image and metadata, at most the test images times the number of other classes.",
    ),
    option(
        "consistent_shares",
        click.STRING,
        "0.9,0.7",
        "Levels of consistent_share to study beside 1, separated by commas.",
    ),
    option(
        "metadata_noises",
        click.STRING,
        "0.1,0.3",
        "Levels of metadata_noise to study beside 0, separated by commas.",
    ),
    option(
        "modality_dropouts",
        click.STRING,
        "0.25,0.5",
        "Levels of modality_dropout to study beside 0, separated by commas.",
    ),
    option(
        "metadata_scales",
        click.STRING,
        "0.1",
        "Levels of metadata_scale to study beside 1, separated by commas.",
    ),
    option(
        "embedding_noises",
        click.STRING,
        "2,4",
        "Levels of embedding_noise to study beside 0, separated by commas.",
    ),
    option(
        "reference",
        TextOrNone(),
        "none",
        "Source of images that the model was not trained on and is known to meet; none: the test images of its data, half of them where no batch is named.",
    ),
    option(
        "batch",
        TextOrNone(),
        "none",
        "Source of new images, labels are not read (parquet:PATH#label=none has none); several separated by |, in order of time; none: half of the reference, as it is and with noise of sigma .05, .1 and .2.",
    ),
]
