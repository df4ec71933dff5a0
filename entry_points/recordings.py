"""Recordings of other people's training loops, in place of everything upstream of a step."""

import hashlib
from dataclasses import replace
from pathlib import Path

from anomaly_mlflow.errors import AnomalyError, BadData, BadOption
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import clear_errors
from anomaly_mlflow.training.epoch_files import recording_files
from entry_points.options import OPTIONS
from entry_points.step import Step

__all__ = ["by_itself", "recording_digest", "recording_folder"]

HOW = {"backend", "device", "jobs", "resume"}


def by_itself(step: Step, options: dict) -> Step:
    """The step as these options make it: one that builds on nothing, where an option stands for all that is upstream.

    Raises BadOption for options that then have no effect.
    """
    if not (step.instead and options[step.instead]):
        return step
    alone = replace(step, own=(*step.own, step.instead), needs=())
    for name in step.options:
        if name not in (*alone.options, *HOW) and options[name] != _default(name):
            raise BadOption(f"{name}={options[name]} has no effect beside {step.instead}={options[step.instead]}")
    return alone


def recording_folder(value: str) -> Path:
    """The folder of a recording: itself, or that of a run. Raises BadData where there is neither."""
    if Path(value).is_dir():
        return Path(value)
    try:
        with clear_errors():
            return Run(value).path("recording")
    except AnomalyError as error:
        raise BadData(f"recording={value} is no folder here, and no run that holds a recording ({error})") from None


def recording_digest(value: str) -> str:
    """sha256 (hex) of the files of a recording that are read, and of no others. Raises BadData where one is missing."""
    folder = recording_folder(value)
    digest = hashlib.sha256()
    for path in recording_files(folder):
        digest.update(path.relative_to(folder).as_posix().encode())
        with open(path, "rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


def _default(name: str) -> object:
    option = OPTIONS[name]
    return option.type.convert(option.default, option, None)
