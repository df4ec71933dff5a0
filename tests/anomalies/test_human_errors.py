import numpy as np
import pandas as pd
import pytest
from image_files import real

from anomaly_mlflow.anomalies.inject import inject
from anomaly_mlflow.anomalies.plan import Plan
from anomaly_mlflow.anomalies.rates import rates
from anomaly_mlflow.anomalies.similarity import Tables
from anomaly_mlflow.anomalies.types import MADE, listed
from anomaly_mlflow.anomalies.types import AnomalyType as T
from anomaly_mlflow.data.names import CIFAR10
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption

N = 600
LABELS = np.arange(N) % 3
GIVEN = np.where(np.arange(N) % 6 == 0, (LABELS + 1) % 3, LABELS)
HARD = np.arange(N) % 6 == 1
TABLES = Tables({0: (1,), 1: (2,)}, {1: (0,), 2: (0,)}, "literature", "embedding")
SHARES = {T.NEAR_MISS: 0.1, T.GROSS: 0.1, T.RANDOM_FLIP: 0.1, T.OOD: 0.1}


def samples():
    return Samples(
        np.random.default_rng(0).integers(0, 256, (N, 8, 8, 1), np.uint8), LABELS, np.arange(N), tuple("abc")
    )


def run(shares=SHARES, hard=HARD, given=GIVEN):
    return inject(samples(), Plan(shares, TABLES, hard, given=given, given_source="worst"))


def test_human_labels_are_given_the_data_sets_own_stay_true_and_the_column_is_named():
    noisy, ledger = run()
    errors = ledger[ledger["anomaly_type"] == T.HUMAN_ERROR]
    assert np.array_equal(errors.index, np.flatnonzero(GIVEN != LABELS))
    assert np.array_equal(errors["given_label"], GIVEN[errors.index])
    assert np.array_equal(errors["true_label"], LABELS[errors.index])
    assert set(errors["source"]) == {"worst"} and (errors["severity"] == 1).all()
    assert np.array_equal(noisy.labels, ledger["given_label"])
    clean = ledger[ledger["anomaly_type"] == T.CLEAN]
    assert (clean["given_label"] == clean["true_label"]).all()


def test_every_type_keeps_its_share_of_the_rows_that_people_labelled_rightly():
    _, ledger = run()
    assert ledger["anomaly_type"].value_counts().drop("clean").to_dict() == {
        "hard": 100, "human_error": 100, "near_miss": 60, "gross": 60, "random_flip": 60, "ood": 60,
    }  # fmt: skip
    assert rates(ledger)["label_noise"] == pytest.approx(280 / 600)
    assert rates(ledger)["share.human_error"] == pytest.approx(1 / 6)


def test_perfect_human_labels_change_nothing_and_name_no_seventh_type():
    (noisy, ledger), (same, plain) = run(given=LABELS), run(given=None)
    assert ledger.equals(plain) and np.array_equal(noisy.images, same.images)
    assert "share.human_error" not in rates(ledger)
    assert listed(ledger["anomaly_type"]) == MADE and listed(run()[1]["anomaly_type"]) == tuple(T)


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(BadData, match="600 numbers in 0 to 2; check the option labels"):
        run(given=GIVEN + 1)
    with pytest.raises(BadData, match="600 numbers in 0 to 2"):
        run(given=GIVEN[:-1])
    with pytest.raises(BadData, match="human label is wrong are marked hard"):
        run(hard=np.arange(N) % 6 == 0)
    with pytest.raises(BadOption, match="random_flip needs 540 rows and 500 are eligible"):
        run({T.RANDOM_FLIP: 0.9}, hard=np.zeros(N, bool))


def test_near_misses_are_drawn_from_the_rows_named():
    among = (np.arange(N) % 4 == 0) & (LABELS < 2)
    plan = Plan({T.NEAR_MISS: among.mean()}, TABLES, np.zeros(N, bool), near_miss_among=among)
    assert np.array_equal(inject(samples(), plan)[1]["anomaly_type"] == T.NEAR_MISS, among)


def test_cifar10n_aggregate_leaves_nine_per_cent_of_human_errors():
    frame = pd.read_parquet(real("cifar10n/labels.parquet"))
    n, true, given = len(frame), frame["clean"].to_numpy(np.int64), frame["aggregate"].to_numpy(np.int64)
    host = Samples(np.zeros((n, 1, 1, 1), np.uint8), true, frame["index"].to_numpy(np.int64), CIFAR10)
    _, ledger = inject(host, Plan({}, TABLES, np.zeros(n, bool), given=given, given_source="aggregate"))
    assert rates(ledger)["share.human_error"] == pytest.approx(0.0901, abs=5e-5) == rates(ledger)["label_noise"]
