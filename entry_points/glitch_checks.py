"""The data and settings of every cell, tried before the first training: a bad one would end the table late."""

from collections.abc import Iterable, Sequence

import numpy as np
from tqdm import tqdm

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import AnomalyError, BadOption
from anomaly_mlflow.models import Architecture, build
from anomaly_mlflow.training.guards import check_fits
from entry_points.glitched import GLITCH, clean_and_test, injected, reference_of, settings_of
from entry_points.sample_files import DATA

__all__ = ["check_cells"]


def check_cells(variants: Sequence[dict]) -> None:
    """Make the data of every training once, and an untrained model for it.

    variants: options of `glitch` runs. Raises BadOption that names the first cell that cannot be trained.
    """
    with tqdm(total=len(variants), desc="checks", unit="training", disable=None) as bar:
        for same_data in _alike(variants, DATA):
            clean, test = clean_and_test(same_data[0])
            for same_glitch in _alike(same_data, (*GLITCH, "training_seed")):
                _check(clean, test, same_glitch)
                bar.update(len(same_glitch))


def _check(clean: Samples, test: Samples, variants: Sequence[dict]) -> None:
    """variants: options that differ in the model alone."""
    options = variants[0]
    try:
        made = injected(clean, options).samples
        reference_of(test, made, options)
        for options in variants:
            config = settings_of(made, options)
            check_fits(made, config, np.arange(len(made)))
            if not config.pretrained:  # whose weights would be downloaded here
                build(Architecture(config.model, made.image_shape, made.num_classes, config.dropout))
    except AnomalyError as error:
        cell = f"{options['model']}, {options['glitch']} at {100 * options['glitch_ratio']:g} %"
        raise BadOption(f"{clean.name}, {cell}, seed {options['training_seed']}: {error}") from None


def _alike(variants: Iterable[dict], names: Sequence[str]) -> list[list[dict]]:
    """The variants that agree in these options, together."""
    groups: dict[tuple, list[dict]] = {}
    for one in variants:
        groups.setdefault(tuple(one[name] for name in names), []).append(one)
    return list(groups.values())
