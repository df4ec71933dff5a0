"""Options of what is studied: images, anomalies, labels."""

import click

from anomaly_mlflow.anomalies.conventions import CONVENTIONS
from anomaly_mlflow.anomalies.difficulty import HARD_BY
from anomaly_mlflow.anomalies.strangers import LABEL_POLICIES
from anomaly_mlflow.data.sources import SIZES
from entry_points.option_kinds import COUNT, MODEL, SHARE, TABLE, Auto, Number, TextOrNone, option

__all__ = ["DATA_OPTIONS"]

DATA_OPTIONS = [
    option(
        "dataset",
        click.STRING,
        "digits",
        "Data source: digits, mnist, fashion_mnist, svhn, cifar10, cifar100, parquet:PATH[?column=value], imagefolder:PATH.",
    ),
    option("test", TextOrNone(), "none", "Source of the test images; none: a held-out tenth that no step trains on."),
    option(
        "imbalance",
        Number(1, 1e6),
        1.0,
        "Long tail: largest over smallest class of the training images, sizes falling exponentially; 1: as they are.",
    ),
    option("subset", Auto(COUNT), "auto", "Number of training images, a stratified part; auto: all."),
    option("corrupt", click.Choice(["skip", "refuse"]), "skip", "What to do with images that cannot be decoded."),
    option(
        "image_size",
        Auto(click.IntRange(SIZES[0], SIZES[-1])),
        "auto",
        "Pixels a side that images are brought to, 4 to 512; auto: the most common size.",
    ),
    option("seed", click.IntRange(0, 2**31), 0, "Seed of every draw but the noisy model's training."),
    option(
        "baseline_model",
        MODEL,
        "convnet",
        "Model that finds the hard images, one of those under model; it supplies no feature.",
    ),
    option(
        "baseline_epochs", Auto(COUNT), "auto", "Epochs of the baseline; auto: 15, or 40 for images under 16 pixels."
    ),
    option("baseline_folds", click.IntRange(2, 20), 3, "Folds of the out-of-fold baseline."),
    option("near_miss_share", SHARE, 0.05, "Near-miss label errors, share of all training images (0 to 1)."),
    option("gross_share", SHARE, 0.05, "Gross label errors, share of all training images (0 to 1)."),
    option(
        "random_flip_share",
        SHARE,
        0.05,
        "Random label flips, true class excluded, share of all training images (0 to 1).",
    ),
    option("ood_share", SHARE, 0.05, "Images replaced by ones of no class, share of all training images (0 to 1)."),
    option("hard_share", SHARE, 0.05, "Clean images that are hard, share of all training images (0 to 1)."),
    option(
        "hard_by",
        click.Choice(HARD_BY),
        "margin",
        "What hard means: lowest out-of-fold margin, boundary (margin nearest to 0), raters (people differ and most are right).",
    ),
    option(
        "raters",
        TextOrNone(),
        "none",
        "Labels of three or more people, for hard_by=raters (of two or more for nutrition_label): parquet:PATH#COLUMN,COLUMN,COLUMN or cifarn:PATH#...",
    ),
    option(
        "near_miss_from",
        click.Choice(["any", "hard_quantile"]),
        "any",
        "any image, or hard_quantile: near misses and hard images are drawn from one pool of the hardest images.",
    ),
    option("near_table", TABLE, "auto", "Class table of near misses; auto: literature where known."),
    option("gross_table", TABLE, "auto", "Class table of gross errors; auto: literature where known."),
    option(
        "confusion",
        TextOrNone(),
        "none",
        "True and human labels, counted for the class tables human and convention human_confusion: parquet:PATH#TRUE,GIVEN.",
    ),
    option(
        "convention",
        click.Choice(["none", *CONVENTIONS]),
        "none",
        "Label errors as another paper makes them; the shares of near misses, gross errors and random flips are then 0. Hard images are spared: with hard_share=0 every image may be hit, as in the papers.",
    ),
    option("convention_rate", SHARE, 0.2, "Rate of the convention in its paper's sense (0 to 1)."),
    option(
        "labels",
        TextOrNone(),
        "none",
        "Labels that people gave, in place of the data set's own, which stay the truth: parquet:PATH#COLUMN or cifarn:PATH#COLUMN.",
    ),
    option(
        "ood",
        click.STRING,
        "photographs",
        "Where images of no class come from: photographs, noise, shuffled_patches (of the image itself) or a data source; several in equal parts: A|B|C.",
    ),
    option(
        "ood_label",
        click.Choice(LABEL_POLICIES),
        "random",
        "Label of such an image: random, single (one for all), kept.",
    ),
]
