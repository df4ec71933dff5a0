"""Per-sample signals from a recording on disk: ours against a pandas group-by over a long table."""

import math
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from anomaly_mlflow.signals import Evidence
from anomaly_mlflow.signals.table import feature_table
from anomaly_mlflow.training.epoch_files import read_recording, write_epoch
from benchmarks.history import CLASSES, EPOCHS, ROWS, epochs
from benchmarks.measure import interleaved, one_thread, ratio_of_medians
from benchmarks.rows import Row, publish

ROUNDS = 3
BAR = (20.0, math.inf)
NAMES = ("mean_loss", "area_under_margin", "cartography_confidence", "confidence_variability")
NAMES += ("forgetting", "never_learnt", "first_learnt", "wrong_events")


def main() -> None:
    """Eight signals each way, from Parquet files to a table of one row a sample."""
    one_thread()
    with tempfile.TemporaryDirectory() as home:
        folder, table = Path(home, "recording"), Path(home, "long.parquet")
        _write(folder, table)
        ways = {"ours": partial(_ours, folder), "apply": partial(_apply, table), "built-in": partial(_built_in, table)}
        _check(ways["ours"](), ways["built-in"]())  # warms up, too
        seconds = interleaved(ways, ROUNDS)
    medians = {name: np.median(values) for name, values in seconds.items()}
    shape = f"{len(NAMES)} signals of {ROWS:,} x {EPOCHS} x {CLASSES}, CPU s"
    rows = []
    for way, name, bar in (("apply", "a function a sample", BAR), ("built-in", "its built-in aggregations", None)):
        ratio = ratio_of_medians(seconds[way], seconds["ours"])
        note = f"{medians['ours']:.2f} against {medians[way]:.1f}: {shape}, reading included"
        rows.append(Row(f"signals: pandas group-by, {name} / ours", *ratio, ROUNDS, bar, note))
    publish(rows)


def _write(folder: Path, table: Path) -> None:
    """The same history as a recording, and as a long table of what the pandas side needs, no logits."""
    long = []
    for epoch, part in enumerate(epochs()):
        write_epoch(folder, epoch, part)
        columns = {name: getattr(part, name)[0] for name in ("loss", "margin", "confidence", "correct")}
        long.append(pd.DataFrame({"sample_id": part.sample_id, "epoch": epoch, **columns}))
    pd.concat(long, ignore_index=True).to_parquet(table)


def _ours(folder: Path) -> pd.DataFrame:
    recording = read_recording(folder)
    return feature_table(Evidence(recording.sample_id, recording.labels, CLASSES, recording=recording), NAMES)


def _apply(table: Path) -> pd.DataFrame:
    """As most code does it: a function that is given the epochs of one sample."""
    history = pd.read_parquet(table).sort_values(["sample_id", "epoch"])
    return history.groupby("sample_id").apply(_of_one_sample, include_groups=False)


def _of_one_sample(history: pd.DataFrame) -> pd.Series:
    correct = history["correct"].to_numpy()
    values = (
        history["loss"].mean(),
        -history["margin"].mean(),
        1 - history["confidence"].mean(),
        history["confidence"].std(ddof=0),
        (correct[:-1] & ~correct[1:]).sum(),
        not correct.any(),
        correct.argmax() if correct.any() else len(correct),
        (~correct).sum(),
    )
    return pd.Series(dict(zip(NAMES, values, strict=True)))


def _built_in(table: Path) -> pd.DataFrame:
    """As somebody does it who knows pandas well: no Python function a sample."""
    history = pd.read_parquet(table).sort_values(["sample_id", "epoch"])
    correct, same = history["correct"], history["sample_id"].eq(history["sample_id"].shift())
    history["forgotten"] = same & correct.shift(fill_value=False) & ~correct
    history["first"] = history["epoch"].where(correct, EPOCHS)
    found = history.groupby("sample_id").agg(
        mean_loss=("loss", "mean"),
        area_under_margin=("margin", "mean"),
        cartography_confidence=("confidence", "mean"),
        confidence_variability=("confidence", "std"),
        forgetting=("forgotten", "sum"),
        never_learnt=("correct", "max"),
        first_learnt=("first", "min"),
        wrong_events=("correct", "sum"),
    )
    found["confidence_variability"] *= math.sqrt((EPOCHS - 1) / EPOCHS)
    found["area_under_margin"] *= -1
    found["cartography_confidence"] = 1 - found["cartography_confidence"]
    found["never_learnt"] = ~found["never_learnt"]
    found["wrong_events"] = EPOCHS - found["wrong_events"]
    return found


def _check(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    ours = ours.set_index("sample_id").sort_index()
    for name, column in zip(NAMES, ours, strict=True):
        np.testing.assert_allclose(ours[column], theirs[name].astype(float), rtol=0.01, atol=0.01, err_msg=name)


if __name__ == "__main__":
    main()
