"""Every option of every step, declared once; click, MLproject and the logged parameters all read this."""

from collections.abc import Iterable

import click

from entry_points.cleaning_options import CLEANING_OPTIONS
from entry_points.data_options import DATA_OPTIONS
from entry_points.grid_options import GRID_OPTIONS
from entry_points.run_options import RUN_OPTIONS
from entry_points.study_options import STUDY_OPTIONS
from entry_points.training_options import TRAINING_OPTIONS

__all__ = ["NAMED_RUNS", "OPTIONS", "RUNTIME_ONLY", "as_typed", "in_order"]

_DECLARED = [*DATA_OPTIONS, *TRAINING_OPTIONS, *STUDY_OPTIONS, *GRID_OPTIONS, *CLEANING_OPTIONS, *RUN_OPTIONS]

OPTIONS: dict[str, click.Option] = {option.name: option for option in _DECLARED}

# These change how a run is carried out, not what comes out: no part of a fingerprint.
NAMED_RUNS = {
    "baseline_run",
    "noise_run",
    "clean_run",
    "folds_run",
    "probes_run",
    "noisy_run",
    "thresholds_run",
    "features_run",
    "repairs_run",
    "scores_run",
}
RUNTIME_ONLY = {"backend", "device", "jobs", "resume", "workers", *NAMED_RUNS}


def as_typed(options: dict, names: Iterable[str]) -> dict:
    """These options in the words of the command line: `auto` or `none` where they were left open."""
    return {name: OPTIONS[name].default if options[name] is None else options[name] for name in names}


def in_order(names: Iterable[str]) -> list[click.Option]:
    """The options of these names in the order in which they are declared: along the study."""
    chosen = set(names)
    return [option for option in _DECLARED if option.name in chosen]
