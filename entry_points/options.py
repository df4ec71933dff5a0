"""Every option of every step, declared once; click, MLproject and the logged parameters all read this."""

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

import click

from anomaly_mlflow.anomalies.conventions import CONVENTIONS
from anomaly_mlflow.anomalies.difficulty import HARD_BY
from anomaly_mlflow.anomalies.glitches import GLITCHES, LARGEST_RATIO
from anomaly_mlflow.anomalies.graded_corruptions import GRADED
from anomaly_mlflow.anomalies.similarity import TABLES
from anomaly_mlflow.anomalies.strangers import LABEL_POLICIES
from anomaly_mlflow.anomalies.tasks import TASKS
from anomaly_mlflow.data.augment import AUGMENTATIONS
from anomaly_mlflow.data.sources import SIZES
from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.models import find, spoken_names

__all__ = ["NAMED_RUNS", "OPTIONS", "RUNTIME_ONLY", "as_typed", "in_order"]


class _Auto(click.ParamType):
    """A number in a range, or `auto` for the default that the help text states (passed on as None)."""

    def __init__(self, kind: click.ParamType):
        self.kind = kind
        self.name = f"{kind.name} or auto"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        choices = getattr(self.kind, "choices", [self.kind.name.split()[0].upper()])
        return f"[{'|'.join([*choices, 'auto'])}]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        if value in (None, "auto"):
            return None
        converted = self.kind.convert(value, param, ctx)
        if converted != converted:
            self.fail("nan is no number.", param, ctx)
        return converted


class _Number(click.FloatRange):
    """A number in a range; `nan` is in none."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        converted = super().convert(value, param, ctx)
        if converted != converted:
            self.fail("nan is no number.", param, ctx)
        return converted


class _None(click.ParamType):
    """Text, or `none` (passed on as None): an empty value would be lost on its way through MLproject."""

    name = "text or none"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        if value == "":
            self.fail("it is empty; write none to leave it out.", param, ctx)
        return None if value in (None, "none") else value


class _Storage(_None):
    """The address of a database without a password, which would be logged, or `none`."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        address = super().convert(value, param, ctx)
        if address is None:
            return None
        user = str(address).partition("://")[2].rpartition("@")[0]
        if "://" not in str(address):
            self.fail("it is no address of a database such as postgresql+psycopg://USER@HOST/NAME.", param, ctx)
        if ":" in user or re.search("(password|passwd|pwd)=", unquote_plus(str(address)), re.IGNORECASE):
            self.fail("a password in it would be logged; leave it out and set PGPASSWORD.", param, ctx)
        return address


class _Model(click.ParamType):
    """The name of a model."""

    name = "model"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(spoken_names())}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            find(value)
        except UnknownName as error:
            self.fail(str(error), param, ctx)
        return value


_share = _Number(0, 1)
_count = click.IntRange(min=1)
_positive = click.FloatRange(min=0, max=1e6, min_open=True)
_table = click.Choice(TABLES)
_model = _Model()


def _option(name: str, kind: click.ParamType, default: object, text: str) -> click.Option:
    return click.Option([f"--{name}", name], type=kind, default=default, help=text, show_default=True)


_DECLARED = [
    _option(
        "dataset",
        click.STRING,
        "digits",
        "Data source: digits, mnist, fashion_mnist, svhn, cifar10, cifar100, parquet:PATH[?column=value], imagefolder:PATH.",
    ),
    _option("test", _None(), "none", "Source of the test images; none: a held-out tenth that no step trains on."),
    _option("subset", _Auto(_count), "auto", "Number of training images, a stratified part; auto: all."),
    _option("corrupt", click.Choice(["skip", "refuse"]), "skip", "What to do with images that cannot be decoded."),
    _option(
        "image_size",
        _Auto(click.IntRange(SIZES[0], SIZES[-1])),
        "auto",
        "Pixels a side that images are brought to, 4 to 512; auto: the most common size.",
    ),
    _option("seed", click.IntRange(0, 2**31), 0, "Seed of every draw but the noisy model's training."),
    _option(
        "baseline_model",
        _model,
        "convnet",
        "Model that finds the hard images, one of those under model; it supplies no feature.",
    ),
    _option(
        "baseline_epochs", _Auto(_count), "auto", "Epochs of the baseline; auto: 15, or 40 for images under 16 pixels."
    ),
    _option("baseline_folds", click.IntRange(2, 20), 3, "Folds of the out-of-fold baseline."),
    _option("near_miss_share", _share, 0.05, "Near-miss label errors, share of all training images (0 to 1)."),
    _option("gross_share", _share, 0.05, "Gross label errors, share of all training images (0 to 1)."),
    _option(
        "random_flip_share",
        _share,
        0.05,
        "Random label flips, true class excluded, share of all training images (0 to 1).",
    ),
    _option("ood_share", _share, 0.05, "Images replaced by ones of no class, share of all training images (0 to 1)."),
    _option("hard_share", _share, 0.05, "Clean images that are hard, share of all training images (0 to 1)."),
    _option(
        "hard_by",
        click.Choice(HARD_BY),
        "margin",
        "What hard means: lowest out-of-fold margin, boundary (margin nearest to 0), raters (people differ and most are right).",
    ),
    _option(
        "raters",
        _None(),
        "none",
        "Labels of three or more people, for hard_by=raters: parquet:PATH#COLUMN,COLUMN,COLUMN or cifarn:PATH#...",
    ),
    _option(
        "near_miss_from",
        click.Choice(["any", "hard_quantile"]),
        "any",
        "any image, or hard_quantile: near misses and hard images are drawn from one pool of the hardest images.",
    ),
    _option("near_table", _table, "auto", "Class table of near misses; auto: literature where known."),
    _option("gross_table", _table, "auto", "Class table of gross errors; auto: literature where known."),
    _option(
        "confusion",
        _None(),
        "none",
        "True and human labels, counted for the class tables human and convention human_confusion: parquet:PATH#TRUE,GIVEN.",
    ),
    _option(
        "convention",
        click.Choice(["none", *CONVENTIONS]),
        "none",
        "Label errors as another paper makes them; the shares of near misses, gross errors and random flips are then 0. Hard images are spared: with hard_share=0 every image may be hit, as in the papers.",
    ),
    _option("convention_rate", _share, 0.2, "Rate of the convention in its paper's sense (0 to 1)."),
    _option(
        "labels",
        _None(),
        "none",
        "Labels that people gave, in place of the data set's own, which stay the truth: parquet:PATH#COLUMN or cifarn:PATH#COLUMN.",
    ),
    _option(
        "ood",
        click.STRING,
        "photographs",
        "Where images of no class come from: photographs, noise, shuffled_patches (of the image itself) or a data source; several in equal parts: A|B|C.",
    ),
    _option(
        "ood_label",
        click.Choice(LABEL_POLICIES),
        "random",
        "Label of such an image: random, single (one for all), kept.",
    ),
    _option(
        "model", _model, "vit", "Model under study: one by its name, or any of the library timm, such as timm:resnet26."
    ),
    _option(
        "epochs",
        _Auto(_count),
        "auto",
        "Training epochs; auto: 15, or 40 for images under 16 pixels (15 in the glitch and memorization studies).",
    ),
    _option(
        "batch_size",
        _Auto(click.IntRange(min=2)),
        "auto",
        "Images per training batch, at least 2; auto: convnet 256, resnet18, resnet20 and convnext 128, vit and timm 64 (memorization: 64).",
    ),
    _option(
        "learning_rate",
        _Auto(_positive),
        "auto",
        "Peak of the one-cycle schedule; auto: with SGD 0.2 (resnet18 0.05), with AdamW 0.002 (vit, convnext) or 0.001 (timm), from pretrained weights a fifth.",
    ),
    _option(
        "dropout", click.FloatRange(0, 1, max_open=True), 0.1, "Dropout before the head, also of the stochastic passes."
    ),
    _option(
        "augmentation",
        _Auto(click.Choice(AUGMENTATIONS)),
        "auto",
        "auto: crop for grey images, crop and flip for colour.",
    ),
    _option(
        "precision",
        click.Choice(["auto", "32-true", "bf16-mixed"]),
        "auto",
        "auto: bfloat16 where the device has it in hardware and it pays: not for images under 16 pixels, nor on a CPU for depthwise convolutions.",
    ),
    _option(
        "pretrained",
        click.Choice(["no", "yes"]),
        "no",
        "Start from the weights that timm publishes, downloaded once; only for timm:NAME.",
    ),
    _option(
        "record",
        click.Choice(["batches", "evaluation"]),
        "batches",
        "Logits that are recorded: those of the training batches as they pass (free), or of an evaluation pass after each epoch (without augmentation and dropout; about half an epoch more).",
    ),
    _option("folds", click.IntRange(2, 20), 5, "Folds of the cross-fitted clean side."),
    _option("training_seed", click.IntRange(0, 2**31), 0, "Seed of the noisy model's training, the first of several."),
    _option("seeds", click.IntRange(1, 100), 3, "Number of noisy models, with consecutive training seeds."),
    _option("validation_folds", click.IntRange(2, 20), 3, "Folds of the models on given labels (out-of-fold logits)."),
    _option("passes", click.IntRange(2, 1000), 30, "Stochastic passes with dropout on."),
    _option(
        "geometry_encoder",
        _None(),
        "none",
        "Frozen encoder of the geometry: timm:NAME (published weights) or timm:NAME@PATH.safetensors; none: the clean side's.",
    ),
    _option("signals", click.STRING, "all", "Signals to extract, separated by commas; all: every one."),
    _option(
        "recording",
        _None(),
        "none",
        "A recording of another training loop, a folder or the id of a run: what it alone tells, in place of all steps before.",
    ),
    _option(
        "probe_share",
        _share,
        0.125,
        "Known errors planted among the given labels, five kinds in equal parts, share of all training images (0 to 1).",
    ),
    _option("draws", click.IntRange(100, 1_000_000), 2000, "Bootstrap draws of the intervals."),
    _option(
        "claims",
        click.STRING,
        "all",
        "Claims to judge, separated by commas: H1,H2,H3; all: every one (hypotheses takes no other).",
    ),
    _option(
        "cells",
        click.STRING,
        "all",
        "Sensitivity cells beside the primary one, which is always judged, separated by commas; all: every one.",
    ),
    _option(
        "scale",
        click.Choice(["full", "small"]),
        "full",
        "small: few images, epochs, folds, seeds and draws where no value was typed, to see it work within a minute.",
    ),
    _option("trials", _count, 40, "Trials of the sweep."),
    _option("workers", _count, 2, "Trials of the sweep side by side, in processes of one thread each."),
    _option(
        "target",
        click.Choice(list(TASKS)),
        "error",
        "What the sweep's detector is to find: error (any wrong label or image, against clean and hard ones), or one type against another.",
    ),
    _option(
        "storage",
        _Storage(),
        "none",
        "Database of the sweep's trials, such as postgresql+psycopg://USER@HOST/NAME (password in PGPASSWORD, never here: `mlflow run -P` logs what is typed); none: a journal file beside the run.",
    ),
    _option(
        "detector",
        click.STRING,
        "types",
        "What to explain beside the type classifier: types (nothing), or a registered detector (models:/NAME@champion).",
    ),
    _option(
        "near_miss_rates",
        click.STRING,
        "0.02,0.05,0.1,0.15,0.2",
        "Near-miss shares of all training images, separated by commas; theory trains a noisy model at each.",
    ),
    _option(
        "datasets",
        click.STRING,
        "digits",
        "Data sources of the glitch study, as under dataset; several separated by |.",
    ),
    _option("tests", _None(), "none", "Sources of their test images, one each, separated by |; none: held-out tenths."),
    _option(
        "models",
        click.STRING,
        "convnet",
        "Models of the glitch, robustness and memorization studies, as under model, separated by commas; robustness takes registered ones too (models:/NAME@champion).",
    ),
    _option(
        "corruptions",
        click.STRING,
        "all",
        f"Corruptions of the robustness study, separated by commas: {', '.join(GRADED)}; all: every one.",
    ),
    _option(
        "conflict_share",
        _Number(0, LARGEST_RATIO, min_open=True),
        0.2,
        f"Share of the labels that are replaced by another class each, the true one excluded (above 0, at most {LARGEST_RATIO}).",
    ),
    _option(
        "pair",
        _Auto(click.STRING),
        "auto",
        "Two classes that memorization also trains on alone: NAME,NAME; auto: cat,dog, else 3,5, else the first two.",
    ),
    _option(
        "two_classes", _None(), "none", "Two classes that conflicting_labels trains on alone: NAME,NAME; none: all."
    ),
    _option(
        "anomalies",
        _Auto(click.STRING),
        "auto",
        "Source of the images that are appended as anomalies, of one class; one for each data set, separated by |: photographs, noise or a data source; auto: fashion_mnist for mnist and cifar10, mnist for fashion_mnist, else photographs.",
    ),
    _option("glitches", click.STRING, "all", f"Glitches to study, separated by commas: {', '.join(GLITCHES)}."),
    _option("glitch", click.Choice(list(GLITCHES)), "uniform", "What is done to the data."),
    _option(
        "glitch_ratio",
        _Number(0, LARGEST_RATIO, min_open=True),
        0.1,
        f"Share of the images that are hit or, for anomalies, appended (above 0, at most {LARGEST_RATIO}).",
    ),
    _option("reference_noise", _share, 0.0, "Share of wrong labels in the reference set (0 to 1)."),
    _option(
        "ablations",
        click.STRING,
        "none",
        "Further cells of the glitch study, separated by commas: ratios (1 to 30 %), reference (20 % wrong labels in it); none, all.",
    ),
    _option(
        "grid",
        click.Choice(["typed", "paper"]),
        "typed",
        "paper: three data sets of a tenth of their images, three models, five seeds and all ablations, where no value was typed.",
    ),
    _option(
        "registered",
        _None(),
        "none",
        "Registered model (models:/NAME@champion or models:/NAME/VERSION) that monitor watches or decay_curves judges; none: monitor finds or trains the clean model, decay_curves trains one.",
    ),
    _option(
        "reference",
        _None(),
        "none",
        "Source of images that the model was not trained on and is known to meet; none: the test images of its data.",
    ),
    _option(
        "batch",
        _None(),
        "none",
        "Source of new images, labels are not read (parquet:PATH#label=none has none); several separated by |, in order of time; none: half of the reference, as it is and with noise of sigma .05, .1 and .2.",
    ),
    _option("device", click.STRING, "auto", "Where to train: auto, cpu, cuda."),
    _option(
        "jobs",
        _Auto(_count),
        "auto",
        "Trainings side by side, one thread each; auto: one a core, one on a GPU, of a running Ray cluster all that it has.",
    ),
    _option(
        "backend",
        click.Choice(["processes", "ray"]),
        "processes",
        "Where trainings, cells and trials go side by side: processes of this machine, or the workers of a Ray cluster: that of RAY_ADDRESS (HOST:PORT), else one started here. One job at a time stays in this process.",
    ),
    _option(
        "resume",
        click.STRING,
        "auto",
        "Unfinished run to continue: auto (the newest of the same command), none (always a new run), or the id of a run.",
    ),
    _option(
        "baseline_run",
        _None(),
        "none",
        "Run of train_baseline to build on; none: the newest with the same fingerprint, or a new one.",
    ),
    _option("noise_run", _None(), "none", "Run of generate_noise to build on."),
    _option(
        "clean_run", _None(), "none", "Run of train_clean to build on, or a registered model (models:/NAME@champion)."
    ),
    _option("folds_run", _None(), "none", "Run of train_folds to build on."),
    _option(
        "noisy_run", _None(), "none", "Run of train_noisy to build on, or a registered model (models:/NAME@champion)."
    ),
    _option(
        "features_run", _None(), "none", "Runs of extract_features to judge, separated by commas, one a training seed."
    ),
]

OPTIONS: dict[str, click.Option] = {option.name: option for option in _DECLARED}

# These change how a run is carried out, not what comes out: no part of a fingerprint.
NAMED_RUNS = {"baseline_run", "noise_run", "clean_run", "folds_run", "noisy_run", "features_run"}
RUNTIME_ONLY = {"backend", "device", "jobs", "resume", "workers", *NAMED_RUNS}


def as_typed(options: dict, names: Iterable[str]) -> dict:
    """These options in the words of the command line: `auto` or `none` where they were left open."""
    return {name: OPTIONS[name].default if options[name] is None else options[name] for name in names}


def in_order(names: Iterable[str]) -> list[click.Option]:
    """The options of these names in the order in which they are declared: along the study."""
    chosen = set(names)
    return [option for option in _DECLARED if option.name in chosen]
