"""Before truth meets signals: were they made without it?"""

import pandas as pd

from anomaly_mlflow.anomalies.difficulty import out_of_fold_margin
from anomaly_mlflow.errors import Leakage
from anomaly_mlflow.studies.leaks import check_references, check_selector
from anomaly_mlflow.tracking.lifecycle import upstream_of
from anomaly_mlflow.tracking.registry import model_folder
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import read_seen
from anomaly_mlflow.training.folds import fold_folder, read_plan
from entry_points.fold_files import number_lists

__all__ = ["check_leaks"]


def check_leaks(noise: Run, made: list[Run], features: list[pd.DataFrame], ledger: pd.DataFrame) -> None:
    """Raises Leakage where rows that are not clean taught a clean side, or a signal copies what chose the hard rows.

    made: the runs of extract_features, features: their tables. What their clean sides learnt from is read from the
    files of the models, not from what a step says of itself.
    """
    sides = {one for run in made for one in upstream_of(run).get("train_clean", [])}
    for one in sorted(sides):
        folder = model_folder(Run(one))
        plan = read_plan(folder)
        seen = [read_seen(fold_folder(folder, k)) for k in range(plan["fold"].max() + 1)]
        try:
            check_references(plan, seen, ledger)
        except Leakage as error:
            raise Leakage(f"{error} (run {one})") from None
    for one in upstream_of(noise).get("train_baseline", []):
        table = "baseline/out_of_fold.parquet"
        frame = Run(one).frame(table, {"sample_id": int, "true_label": int, "logits": object})
        margin = out_of_fold_margin(number_lists(frame["logits"], Run(one), table), frame["true_label"].to_numpy())
        for signals in features:
            check_selector(signals, frame["sample_id"].to_numpy(), margin)
