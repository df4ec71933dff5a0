"""A fitted detector as files: a skops file with its listed types, and beside it what it reads."""

import json
import zipfile
from pathlib import Path

import skops.io
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from anomaly_mlflow.detection.champion import Fitted
from anomaly_mlflow.errors import BadData

__all__ = ["MODEL_FILE", "TRUSTED", "load_detector", "save_detector"]

MODEL_FILE, FACTS_FILE = "detector.skops", "detector.json"

TRUSTED = (
    "anomaly_mlflow.detection.detectors.separation",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
)
"""The types beyond skops' own that a detector may consist of."""

LARGEST = 2**28
"""Bytes that the files of a detector may take once unpacked: a few hundred times what one takes."""


def save_detector(fitted: Fitted, folder: Path) -> None:
    """Write `detector.skops` and `detector.json` (columns, threshold, types). Raises BadData on other types."""
    folder.mkdir(parents=True, exist_ok=True)
    skops.io.dump(fitted.model, folder / MODEL_FILE)
    types = sorted(skops.io.get_untrusted_types(file=folder / MODEL_FILE))
    _check(types, folder)
    facts = {"columns": list(fitted.columns), "threshold": fitted.threshold, "types": types}
    (folder / FACTS_FILE).write_text(json.dumps(facts, indent=2))


def load_detector(folder: Path) -> Fitted:
    """Read what `save_detector` wrote; nothing is unpickled.

    Raises BadData on any other type, on damaged or swollen files, and where they hold no detector of two classes that
    reads these columns.
    """
    folder = Path(folder)
    try:
        _check_size(folder)
        facts = json.loads((folder / FACTS_FILE).read_text())
        columns, threshold, listed = tuple(facts["columns"]), float(facts["threshold"]), list(facts["types"])
        _check(listed, folder)
        model = skops.io.load(folder / MODEL_FILE, trusted=listed)
        _check_fitted(model, columns, threshold)
    except UntrustedTypesFoundException as error:
        raise BadData(f"{folder} holds types that no detector consists of, and is not loaded: {error}") from None
    except BadData:
        raise
    except Exception as error:  # a hostile file makes zipfile, numpy and skops raise nearly anything
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadData(f"the detector in {folder} cannot be read ({first}); save it again") from None
    return Fitted(model, columns, threshold)


def _check_size(folder: Path) -> None:
    with zipfile.ZipFile(folder / MODEL_FILE) as parts:
        size = sum(part.file_size for part in parts.infolist()) + (folder / FACTS_FILE).stat().st_size
    if size > LARGEST:
        raise ValueError(f"it takes {size:,} bytes unpacked, a detector at most {LARGEST:,}")


def _check_fitted(model: object, columns: tuple[str, ...], threshold: float) -> None:
    if not isinstance(model, Pipeline) or not all(isinstance(column, str) for column in columns):
        raise ValueError("it is no pipeline over named columns")
    if model.n_features_in_ != len(set(columns)) or len(columns) != len(set(columns)):
        raise ValueError(f"it reads {model.n_features_in_} columns, and {len(columns)} are named")
    if list(model.classes_) != [False, True] or not hasattr(model, "predict_proba"):
        raise ValueError("it gives no probability of two classes")
    if not 0 <= threshold <= 1:
        raise ValueError(f"its threshold {threshold} is no probability")


def _check(types: list[str], folder: Path) -> None:
    odd = sorted(set(types) - set(TRUSTED))
    if odd:
        raise BadData(f"{folder} holds types that no detector consists of, and is not loaded: {', '.join(odd)}")
