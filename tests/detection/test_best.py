import numpy as np
import pytest
from synthetic import AS_CLAIMED, features, ledger

from anomaly_mlflow.detection.best import best_of_families
from anomaly_mlflow.detection.by_type import auroc_by_type


@pytest.fixture(scope="module")
def found():
    truth = ledger()
    frames = features(truth, AS_CLAIMED, seeds=3)
    table = auroc_by_type(frames, truth)
    return table, best_of_families(frames, truth, np.arange(len(truth)), table, draws=200)


def test_every_family_names_its_best_signal_for_every_type(found):
    table, best = found
    assert len(best) == 4 * 5
    for row in best.itertuples():
        own = table.loc[[name for name in table.index if name.startswith(f"{row.family}.")], row.type]
        assert row.signal == own.idxmax() and row.auroc == pytest.approx(own.max())


def test_the_interval_holds_the_mean_and_is_narrow_for_a_strong_signal(found):
    _, best = found
    assert ((best["low"] <= best["auroc"]) & (best["auroc"] <= best["high"])).all()
    strong = best[(best["family"] == "geometry") & (best["type"] == "gross")].iloc[0]
    assert strong["low"] > 0.95


def test_a_type_of_too_few_sources_has_no_interval():
    truth = ledger()
    groups = np.arange(len(truth))
    groups[(truth["anomaly_type"] == "ood").to_numpy()] = -1
    frames = features(truth, AS_CLAIMED, seeds=2)
    best = best_of_families(frames, truth, groups, auroc_by_type(frames, truth), draws=100)
    assert best.loc[best["type"] == "ood", ["low", "high"]].isna().all().all()
    assert best.loc[best["type"] != "ood", ["low", "high"]].notna().all().all()
