import numpy as np
import pytest
import synthetic

from anomaly_mlflow.detection.table import join, matrix
from anomaly_mlflow.errors import BadData, Leakage


@pytest.fixture
def truth():
    return synthetic.ledger()


@pytest.fixture
def frame(truth):
    return synthetic.features(truth)[0]


def test_rows_come_in_the_order_of_the_ledger_with_their_own_values(truth, frame):
    joined = join(frame, truth)
    assert joined["sample_id"].tolist() == truth["sample_id"].tolist() != frame["sample_id"].tolist()
    expected = frame.set_index("sample_id")["label.loss"].loc[truth["sample_id"]]
    assert np.array_equal(joined["label.loss"], expected)


def test_the_matrix_of_a_joined_table_holds_no_truth(truth, frame):
    columns, X = matrix(join(frame, truth))
    assert columns == list(synthetic.COLUMNS)
    assert X.shape == (len(truth), len(columns)) and X.dtype == np.float64


def test_families_are_chosen_and_extra_columns_added_once(frame):
    columns, X = matrix(frame, ("uncertainty",), ("dynamics.final_loss", "uncertainty.entropy"))
    assert columns == ["uncertainty.entropy", "uncertainty.top2_margin", "dynamics.final_loss"]
    assert np.array_equal(X[:, 2], frame["dynamics.final_loss"])


@pytest.mark.parametrize("name", ["true_label", "anomaly_type", "dynamics.severity", "true_label.entropy"])
def test_a_feature_that_bears_a_ledger_name_is_leakage(truth, frame, name):
    with pytest.raises(Leakage, match="ledger column"):
        join(frame.assign(**{name: 0.0}), truth)


@pytest.mark.parametrize("name", ["loss", "magic.loss", "dynamics.", "dynamics"])
def test_a_feature_of_no_known_form_is_leakage(truth, frame, name):
    with pytest.raises(Leakage, match=r"family\.signal"):
        join(frame.assign(**{name: 0.0}), truth)


def test_differing_or_repeated_ids_are_refused(truth, frame):
    with pytest.raises(BadData, match="differ in 1 sample ids"):
        join(frame.iloc[1:], truth)
    with pytest.raises(BadData, match="repeat"):
        join(frame.iloc[[0, *range(len(frame))]], truth)
    with pytest.raises(BadData, match="no sample_id"):
        join(frame.drop(columns="sample_id"), truth)


def test_a_missing_family_or_extra_column_is_named(frame):
    with pytest.raises(BadData, match="lacks geometry"):
        matrix(frame[["sample_id", "label.loss"]], ("geometry",))
    with pytest.raises(BadData, match=r"lacks dynamics\.gone"):
        matrix(frame, extra=("dynamics.gone",))


def test_a_value_that_is_not_finite_is_named(frame):
    frame.loc[3, "label.loss"] = np.nan
    with pytest.raises(BadData, match=r"label\.loss are not finite"):
        matrix(frame)
