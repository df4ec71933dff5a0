"""A fitted detector as files: a skops file with its listed types, and beside it what it reads."""

import json
import zipfile
from pathlib import Path

import skops.io
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

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, zipfile.BadZipFile)


def save_detector(fitted: Fitted, folder: Path) -> None:
    """Write `detector.skops` and `detector.json` (columns, threshold, types). Raises BadData on other types."""
    folder.mkdir(parents=True, exist_ok=True)
    skops.io.dump(fitted.model, folder / MODEL_FILE)
    types = sorted(skops.io.get_untrusted_types(file=folder / MODEL_FILE))
    _check(types, folder)
    facts = {"columns": list(fitted.columns), "threshold": fitted.threshold, "types": types}
    (folder / FACTS_FILE).write_text(json.dumps(facts, indent=2))


def load_detector(folder: Path) -> Fitted:
    """Read what `save_detector` wrote; nothing is unpickled. Raises BadData on any other type, or damaged files."""
    folder = Path(folder)
    try:
        facts = json.loads((folder / FACTS_FILE).read_text())
        columns, threshold, listed = tuple(map(str, facts["columns"])), float(facts["threshold"]), list(facts["types"])
        _check(listed, folder)
        model = skops.io.load(folder / MODEL_FILE, trusted=listed)
    except UntrustedTypesFoundException as error:
        raise BadData(f"{folder} holds types that no detector consists of, and is not loaded: {error}") from None
    except _UNREADABLE as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadData(f"the detector in {folder} cannot be read ({first}); save it again") from None
    return Fitted(model, columns, threshold)


def _check(types: list[str], folder: Path) -> None:
    odd = sorted(set(types) - set(TRUSTED))
    if odd:
        raise BadData(f"{folder} holds types that no detector consists of, and is not loaded: {', '.join(odd)}")
