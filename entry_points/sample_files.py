"""Samples as artifacts: given labels and replaced images; the rest is read from the source again."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
from PIL import Image

from anomaly_mlflow.data.decode import decode
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import digest, load_split
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.tracking.run import Run

__all__ = ["DATA", "load_again", "load_options", "read_samples", "read_split", "write_samples"]

NOT_ASKED_FOR = {"imbalance": 1.0}
"""What runs from before the option were made with."""
DATA = ("dataset", "test", "imbalance", "subset", "corrupt", "image_size", "seed")


def load_options(run: Run, options: dict) -> Samples:
    """Training samples with true labels, from the options of a step; `data.json` says which data they are."""
    data = {name: options[name] for name in DATA}
    _note(run, data | {"digests": _digests(data)})
    return _load(data)[0]


def load_again(made: Run, run: Run) -> Samples:
    """The samples of an earlier run, noted down in this one too. Raises BadData where the source has changed."""
    data = _checked(made)
    _note(run, data)
    return _load(data)[0]


def read_split(made: Run) -> tuple[Samples, Samples]:
    """Training samples with true labels and test samples of an earlier run. Raises BadData where the source changed."""
    return _load(_checked(made))


def write_samples(run: Run, samples: Samples, replaced: np.ndarray) -> None:
    """Log `samples/labels.parquet` and, for the rows of the mask, `samples/replaced.parquet` (PNG bytes)."""
    labels = {"sample_id": samples.sample_id, "given_label": samples.labels, "group": samples.groups}
    run.log_frame(pd.DataFrame(labels), "samples/labels.parquet")
    images = [_png(samples.images[row]) for row in np.flatnonzero(replaced)]
    run.log_frame(pd.DataFrame({"sample_id": samples.sample_id[replaced], "image": images}), "samples/replaced.parquet")


def read_samples(noise: Run, *, as_anybody_sees_them: bool = False) -> tuple[Samples, Samples]:
    """The samples that `generate_noise` made, and the test samples. Raises BadData where the source has changed.

    as_anybody_sees_them: each replaced image is a source of its own: that strangers are cut from one photograph is
    truth, and no training is told.
    """
    train, test = _load(_checked(noise))
    labels, replaced = (
        noise.frame("samples/labels.parquet", {"sample_id": int, "given_label": int, "group": int}),
        noise.frame("samples/replaced.parquet", {"sample_id": int, "image": object}),
    )
    if not np.array_equal(labels["sample_id"], train.sample_id):
        raise BadData(f"the data source has changed since run {noise.id}; run generate_noise again")
    rows = pd.Index(train.sample_id).get_indexer(replaced["sample_id"])
    if (rows < 0).any():
        raise BadData(f"run {noise.id} replaced images that the data source lacks; run generate_noise again")
    train.images[rows] = _decoded(replaced["image"], noise, train.image_shape)  # just loaded: nobody else holds them
    groups = labels["group"].to_numpy()
    if as_anybody_sees_them:
        groups = np.where(np.isin(train.sample_id, replaced["sample_id"]), train.sample_id, groups)
    return replace(train, labels=labels["given_label"].to_numpy(), groups=groups), test


def _load(data: dict) -> tuple[Samples, Samples]:
    return load_split(data["dataset"], **{name: data[name] for name in DATA if name != "dataset"})


def _digests(data: dict) -> dict[str, str]:
    return {name: digest(data[name]) for name in ("dataset", "test") if data[name]}


def _note(run: Run, data: dict) -> None:
    run.log_json(data, "data.json")
    run.note_content(json.dumps(data, sort_keys=True).encode(), "data.json")


def _checked(made: Run) -> dict:
    data = NOT_ASKED_FOR | made.json("data.json")
    if set(data) != {*DATA, "digests"}:
        raise BadData(f"data.json of run {made.id} does not describe a data source; make the run again")
    changed = [data[name] for name, now in _digests(data).items() if data["digests"].get(name) != now]
    if changed:
        raise BadData(f"the data source {changed[0]} has changed since run {made.id}; make the run again")
    return data


def _decoded(cells: pd.Series, noise: Run, shape: tuple[int, int, int]) -> np.ndarray:
    if cells.empty:
        return np.empty((0, *shape), np.uint8)
    pictures = decode(lambda: cells, shape)
    if pictures.failures:
        raise BadData(f"{len(pictures.failures)} replaced images of run {noise.id} do not decode; run it again")
    return pictures.images


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image.squeeze()).save(file, "PNG")
    return file.getvalue()
