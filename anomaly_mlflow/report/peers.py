"""Files that other tools for label errors read: cleanlab, aum, dataset cartography."""

from pathlib import Path

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["write_aum", "write_cartography", "write_cleanlab"]


def write_cleanlab(folder: Path, sample_id: np.ndarray, labels: np.ndarray, probabilities: np.ndarray) -> None:
    """Write `pred_probs.npy`, `labels.npy` and `sample_id.npy`, the rows in one order: the arguments of cleanlab.

    sample_id, labels: int64 (n,), labels as given; probabilities: (n, C), of models that never saw the row; written as
    float64. Plain arrays, which numpy reads with allow_pickle=False. Raises BadData where the arrays do not fit.
    """
    if not len(sample_id) == len(labels) == len(probabilities):
        raise BadData(f"{len(probabilities)} rows of probabilities do not fit {len(labels)} labels; train again")
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "pred_probs.npy", probabilities.astype(np.float64), allow_pickle=False)
    np.save(folder / "labels.npy", labels.astype(np.int64), allow_pickle=False)
    np.save(folder / "sample_id.npy", sample_id.astype(np.int64), allow_pickle=False)


def write_aum(folder: Path, recording: Recording | TopRecording) -> None:
    """Write `aum_values.csv` as AUMCalculator.finalize does: sample_id and aum, the largest area first.

    Its sign is that of Pleiss et al. (2020): low is suspicious.
    """
    folder.mkdir(parents=True, exist_ok=True)
    area = recording.margin.mean(axis=0, dtype=np.float64)
    table = pd.DataFrame({"sample_id": recording.sample_id, "aum": area})
    table.sort_values(by="aum", ascending=False).to_csv(folder / "aum_values.csv", index=False)


def write_cartography(folder: Path, recording: Recording | TopRecording) -> None:
    """Write `training_dynamics/dynamics_epoch_K.jsonl`, K = 0 .. T-1: guid, logits_epoch_K and gold, the given label.

    The format that the code of Swayamdipta et al. (2020) reads from its model folder; one line a sample.
    Raises MissingEvidence where the recording does not hold all logits.
    """
    dynamics, all_logits = folder / "training_dynamics", recording.logits
    dynamics.mkdir(parents=True, exist_ok=True)
    for epoch, logits in enumerate(all_logits):
        columns = {
            "guid": recording.sample_id,
            f"logits_epoch_{epoch}": logits.tolist(),
            "gold": recording.labels,
        }
        pd.DataFrame(columns).to_json(dynamics / f"dynamics_epoch_{epoch}.jsonl", orient="records", lines=True)
