import numpy as np
import pandas as pd
import pytest
import synthetic
from sklearn.metrics import roc_auc_score

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.by_type import auroc_by_type, most_separating


def test_each_cell_is_the_mean_auroc_of_that_type_against_clean_rows_without_hard_ones():
    truth = synthetic.ledger()
    frames = synthetic.features(truth, seeds=2)
    table = auroc_by_type(frames, truth)
    assert table.index.tolist() == list(synthetic.COLUMNS)
    assert table.columns.tolist() == ["hard", "near_miss", "gross", "random_flip", "ood"]
    expected = []
    for frame in frames:
        joined = truth.merge(frame, on="sample_id")
        joined = joined[joined["anomaly_type"].isin(["clean", "gross"])]
        expected.append(roc_auc_score(joined["anomaly_type"] == "gross", joined["label.loss"]))
    assert table.loc["label.loss", "gross"] == pytest.approx(np.mean(expected))


def test_a_missing_type_has_no_number():
    truth = synthetic.ledger({**synthetic.COUNTS, AnomalyType.OOD: 0})
    table = auroc_by_type(synthetic.features(truth), truth)
    assert table["ood"].isna().all()
    assert table.drop(columns="ood").notna().all(axis=None)


def test_human_errors_have_a_column_only_where_they_occur():
    counts = {**synthetic.COUNTS, AnomalyType.HUMAN_ERROR: 50}
    shifts = {**synthetic.AS_CLAIMED, "label.loss": {AnomalyType.HUMAN_ERROR: 9.0}}
    truth = synthetic.ledger(counts)
    table = auroc_by_type(synthetic.features(truth, shifts), truth)
    assert table.columns.tolist() == ["hard", "near_miss", "gross", "random_flip", "ood", "human_error"]
    assert table.loc["label.loss", "human_error"] > 0.99 > table.loc["label.loss", "hard"]


def test_types_take_turns_in_choosing_signals():
    table = pd.DataFrame(
        {"hard": [0.5, 0.6, 0.7, 0.1], "ood": [0.5, 0.9, 0.8, 0.5], "gross": np.nan}, index=["a", "b", "c", "d"]
    )
    assert most_separating(table, 3) == ["d", "b", "c"]
    assert most_separating(table, 9) == ["d", "b", "c", "a"]
