"""Whether a repair is worth it, asked of given labels that the models which answer never learnt from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import delayed

from anomaly_mlflow.cleaning.repair import Reason
from anomaly_mlflow.cleaning.variants import certain_rows, with_labels
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.kept import keep, kept
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["left_alone", "repaired_predictions"]


def repaired_predictions(
    samples: Samples,
    frame: pd.DataFrame,
    fold: np.ndarray,
    config: TrainConfig,
    *,
    seed: int,
    folder: Path,
    device: str = "auto",
    jobs: int = 1,
    on_done: Callable[[], object] | None = None,
) -> np.ndarray:
    """Class of each row, int64 (n,), by a model that learnt the other folds, repaired and without what is set aside.

    frame: as `repairs` gives it, of these samples in their order; fold: int64 (n,), config and seed: as of
    `cross_validate`, whose models learnt the labels as given. Set beside these they say whether the repair pays: the
    classifier that foretells wrong labels best is nearly the best one on right labels too (Chen et al. 2021, AAAI).
    That ranks models rightly where errors are uniform. Where one class leaks into another it undervalues mending just
    these errors, and where the same images would be mislabelled again it favours whoever learnt them: both speak for
    leaving the labels alone. In favour of the repair speaks that it was chosen by models which had learnt the labels
    that are now asked; the model that answers has not.
    folder: keeps what is done. Raises what `fit` raises.
    """
    folds = range(fold.max() + 1)
    tasks = [
        delayed(_of_fold)(samples, frame, fold == k, config, seed + k, device, folder / f"fold={k}") for k in folds
    ]
    predicted = np.empty(len(samples), np.int64)
    for k, own in zip(folds, side_by_side(tasks, jobs), strict=True):
        predicted[fold == k] = own
        if on_done:
            on_done()
    return predicted


def left_alone(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame of `repairs` with no label changed or set aside; the reasons say which ones would have been."""
    reason = frame["reason"].where(~frame["set_aside"], str(Reason.NOT_SET_ASIDE))
    reason = reason.where(~frame["repaired"], str(Reason.NOT_CONFIRMED))
    return frame.assign(repaired=False, reason=reason, set_aside=False)


def _of_fold(
    samples: Samples, frame: pd.DataFrame, own: np.ndarray, config: TrainConfig, seed: int, device: str, folder: Path
) -> np.ndarray:
    if done := kept(folder):
        return done["predicted"]
    repaired, rows = with_labels(samples, frame), np.flatnonzero(~own & certain_rows(frame))
    model, _ = fit(repaired, config, seed=seed, device=device, rows=rows, checkpoint=folder)
    predicted = infer(model, samples.images, rows=own)[1].argmax(axis=1)
    keep(folder, predicted=predicted)
    return predicted
