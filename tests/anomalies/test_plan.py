import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.anomalies.inject import inject
from anomaly_mlflow.anomalies.plan import Plan
from anomaly_mlflow.anomalies.rates import rates
from anomaly_mlflow.anomalies.similarity import Tables
from anomaly_mlflow.anomalies.types import MADE
from anomaly_mlflow.anomalies.types import AnomalyType as T
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

TABLES = Tables({0: (1,)}, {1: (2,)}, "literature", "embedding")


def samples(n=300):
    images = np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    return Samples(images, np.arange(n) % 3, np.arange(n) + 1000, ("a", "b", "c"))


def run(shares, hard=None, tables=TABLES, n=300, **options):
    hard = np.zeros(n, dtype=bool) if hard is None else hard
    return inject(samples(n), Plan(shares, tables, hard, **options))


def first(n, count):
    return np.arange(n) < count


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({T.GROSS: -0.1}, "share of gross is -0.1"),
        ({T.GROSS: 1.1}, "share of gross is 1.1"),
        ({T.GROSS: float("nan")}, "share of gross is nan"),
        ({T.RANDOM_FLIP: 0.6, T.OOD: 0.5}, r"sum to 1\.1"),
        ({T.RANDOM_FLIP: 0.6, T.HARD: 0.5}, r"sum to 1\.1"),
        ({T.CLEAN: 0.5}, "clean takes no share"),
        ({T.HUMAN_ERROR: 0.5}, "human_error takes no share"),
        ({T.NEAR_MISS: 0.4}, "near_miss needs 120 rows and 100 are eligible"),
        ({T.GROSS: 0.4}, "gross needs 120 rows and 100 are eligible"),
    ],
)
def test_shares_that_do_not_fit_are_refused(shares, message):
    with pytest.raises(BadOption, match=message):
        run(shares)


def test_an_unknown_type_or_policy_is_refused():
    with pytest.raises(UnknownName, match="unknown anomaly type 'blur'"):
        run({"blur": 0.1})
    with pytest.raises(UnknownName, match="label policy"):
        run({T.OOD: 0.1}, ood_label="other")


def test_the_hard_rows_count_towards_the_sum():
    with pytest.raises(BadOption, match=r"sum to 1\.2"):
        run({T.RANDOM_FLIP: 0.7}, hard=first(300, 150))


@pytest.mark.parametrize("hard", [np.zeros(299, dtype=bool), np.zeros(300), np.arange(300)])
def test_hard_must_be_a_mask_of_the_rows(hard):
    with pytest.raises(BadData, match="mask of 300 rows"):
        run({}, hard=hard)


def test_shares_that_fill_the_set_leave_no_clean_row():
    _, ledger = run({T.NEAR_MISS: 0.2, T.RANDOM_FLIP: 0.3, T.OOD: 0.4}, hard=first(300, 30))
    counts = ledger["anomaly_type"].value_counts().to_dict()
    assert counts == {"near_miss": 60, "random_flip": 90, "ood": 120, "hard": 30}


def test_plain_names_do_as_well_as_the_enum():
    assert run({"gross": 0.1})[1].equals(run({T.GROSS: 0.1})[1])


def test_the_ledger_has_its_columns_and_survives_parquet(tmp_path):
    _, ledger = run({T.NEAR_MISS: 0.1, T.GROSS: 0.1, T.OOD: 0.1}, hard=first(300, 15))
    columns = ["sample_id", "anomaly_type", "true_label", "given_label", "source", "severity"]
    assert list(ledger.columns) == columns
    assert [ledger[name].dtype for name in ("sample_id", "true_label", "given_label")] == [np.int64] * 3
    ledger.to_parquet(tmp_path / "ledger.parquet")
    assert pd.read_parquet(tmp_path / "ledger.parquet").equals(ledger)
    sources = ledger.groupby("anomaly_type")["source"].unique()
    assert sources["near_miss"].tolist() == ["literature"] and sources["gross"].tolist() == ["embedding"]
    assert sources["hard"].tolist() == ["selected by margin"] and sources["ood"][0].startswith("photographs:")


def test_nothing_asked_for_changes_nothing():
    changed, ledger = run({})
    assert np.array_equal(changed.images, samples().images) and (ledger["anomaly_type"] == "clean").all()
    assert rates(ledger)["label_noise"] == 0


def test_the_rates_are_counted_and_not_taken_from_the_shares():
    types = ["near_miss", "gross", "random_flip", "random_flip", "random_flip", "random_flip", "ood", "hard", "clean"]
    true = [0, 1, 0, 1, 0, 2, -1, 0, 0]
    given = [1, 2, 1, 2, 2, 0, 1, 0, 0]
    found = rates(
        pd.DataFrame({"anomaly_type": [*types, "clean"], "true_label": [*true, 1], "given_label": [*given, 1]})
    )
    assert found["count.random_flip"] == 4 and found["share.ood"] == 0.1 and found["share.clean"] == 0.2
    assert found["label_noise"] == 0.6
    assert found["overlap.near_miss"] == 0.25 and found["overlap.gross"] == 0.25
    assert sum(found[f"share.{kind}"] for kind in MADE) == pytest.approx(1)
