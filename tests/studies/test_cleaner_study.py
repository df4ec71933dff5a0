"""The study of cleaners without a training: measures by hand, noises and retrainings as typed, the table."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from anomaly_mlflow.cleaning.base import CLEANERS, Cleaned
from anomaly_mlflow.cleaning.repair import repaired_labels, repairs
from anomaly_mlflow.errors import AnomalyError
from anomaly_mlflow.studies.cleaner_grid import PLAIN, Noise, Retraining, chosen_noises, chosen_retrainings
from anomaly_mlflow.studies.cleaner_measures import measure_cleaners
from anomaly_mlflow.studies.cleaner_table import cleaners_table, summarise, wide_table
from anomaly_mlflow.studies.repair_curve import repair_curve, repair_figures

REPAIRS = {"confident_learning": True, "fine": False}


def world(seed=0, n=400, rate=0.3):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, n)
    given = np.where(rng.random(n) < rate, (truth + 1) % 4, truth)
    trust = np.clip((given == truth) * 0.3 + rng.random(n) * 0.7, 0, 1)
    labels = np.where(trust < 0.4, np.where(rng.random(n) < 0.8, truth, 3), given)
    cleaned = {name: Cleaned(trust, trust > 0.5, labels, trust) for name in REPAIRS}
    return truth, given, cleaned


def measured(seed=0, **how):
    truth, given, cleaned = world(seed, **how)
    return measure_cleaners(cleaned, REPAIRS, given, truth, np.arange(len(truth)), draws=100, own_seed=seed)


def test_measures_are_those_of_scikit_learn_and_of_hand():
    truth, given, cleaned = world()
    value = measured().value
    wrong, one = given != truth, cleaned["fine"]
    assert value["fine.auroc"] == pytest.approx(roc_auc_score(wrong, 1 - one.trust))
    assert value["fine.average_precision"] == pytest.approx(average_precision_score(wrong, 1 - one.trust))
    assert value["fine.f1"] == pytest.approx(f1_score(wrong, ~one.kept))
    changed, right = one.labels != given, one.labels == truth
    told = {
        "repair_accuracy": right[changed].mean(),
        "coverage": changed[wrong].mean(),
        "mended": right[wrong].mean(),
        "broken": changed[~wrong].mean(),
        "changed": changed.mean(),
    }
    for name, expected in told.items():
        assert value[f"confident_learning.{name}"] == pytest.approx(expected)
        assert f"fine.{name}" not in value  # it proposes no label


def test_intervals_hold_the_value():
    found = measured()
    for name in found.value.index:
        one = found.interval(name)
        assert one.low <= one.value <= one.high


def test_a_seed_that_lacks_a_figure_leaves_it_open_and_the_others_stand():
    facts, seconds = {"rate": 0.1, "rows": 400}, dict.fromkeys(REPAIRS, 1.0)
    found = summarise("rare", [measured(0), measured(1, rate=0.0)], [facts] * 2, [seconds, {"fine": 3.0}])
    value = found.figures.value
    assert np.isnan(value["fine.auroc"]) and np.isfinite(value["fine.dropped"])
    assert found.seconds == {"fine": 2.0, "confident_learning": 1.0}
    assert wide_table(cleaners_table([found]))["auroc"].isna().all()


def test_without_a_wrong_label_only_shares_are_told():
    value = measured(rate=0.0).value
    assert set(value.index) == {
        "confident_learning.dropped", "confident_learning.broken", "confident_learning.changed", "fine.dropped"
    }  # fmt: skip


def test_the_table_has_a_row_for_each_noise_cleaner_and_measure():
    facts, seconds = {"rate": 0.3, "rows": 400}, dict.fromkeys(REPAIRS, 1.5)
    noisy = summarise("asymmetric 0.3", [measured(0), measured(1)], [facts] * 2, [seconds] * 2)
    clean = summarise("clean", [measured(rate=0.0)], [facts | {"rate": 0.0}], [seconds])
    table = cleaners_table([noisy, clean])
    one = table[(table["noise"] == "asymmetric 0.3") & (table["measure"] == "auroc") & (table["cleaner"] == "fine")]
    assert one["value"].item() == pytest.approx((measured(0).value["fine.auroc"] + measured(1).value["fine.auroc"]) / 2)
    assert one["low"].item() < one["value"].item() < one["high"].item() and one["seeds"].item() == 2
    assert one["mechanism"].item() == CLEANERS["fine"].mechanism
    lines = wide_table(table)
    assert list(lines["noise"]) == ["asymmetric 0.3"] * 2 + ["clean"] * 2
    assert lines["cpu_seconds"].tolist() == [1.5] * 4


def test_noises_are_named_as_typed():
    found = chosen_noises("symmetric:0.2|clean|labels:parquet:a.parquet#worse", "cifarn:b.pt#worse_label")
    assert found == [
        Noise("symmetric 0.2", "symmetric", 0.2),
        Noise("clean"),
        Noise("worse", labels="parquet:a.parquet#worse"),
        Noise("worse_label", labels="cifarn:b.pt#worse_label"),
    ]
    assert len(chosen_noises("clean|clean|symmetric:0.2|symmetric:.2", None)) == 2
    assert chosen_noises("labels:parquet:a.parquet#label (worst)", None)[0].name == "label worst"
    for text, said in (
        ("symetric:0.2", "unknown convention 'symetric'"),
        ("symmetric", "write CONVENTION:RATE"),
        ("symmetric:x", "write CONVENTION:RATE"),
        ("symmetric:1.5", "must lie above 0"),
        ("symmetric:nan", "must lie above 0"),
        ("labels:a.parquet", "name a table and one column"),
        ("labels:parquet:a#clean|clean", "two of the noises are called clean"),
    ):
        with pytest.raises(AnomalyError, match=said):
            chosen_noises(text, None)


def test_plain_training_on_given_labels_is_always_among_the_retrainings():
    assert chosen_retrainings(None, 3) == []
    assert chosen_retrainings("dividemix@given*1|plain@kept:fine*3", 3) == [
        PLAIN, Retraining("dividemix", "given", 1), Retraining("plain", "kept:fine")
    ]  # fmt: skip
    assert chosen_retrainings("plain@given|plain@given*1", 2) == [PLAIN]
    for text, said in (
        ("plain", "write LEARNER@VARIANT"),
        ("plain@given*0", "write LEARNER@VARIANT"),
        ("plain@", "write LEARNER@VARIANT"),
        ("mixmatch@given*4", "wants 4 seeds, and the study has 3"),
        ("mixmatch@given*1|mixmatch@given*2", "two numbers of seeds"),
    ):
        with pytest.raises(AnomalyError, match=said):
            chosen_retrainings(text, 3)


def test_the_curve_of_a_repair_is_what_each_confidence_does_by_hand():
    truth, given, cleaned = world()
    folds = {"confident_learning": cleaned["fine"], "small_loss": cleaned["fine"]}
    found = repair_figures(given, truth, np.arange(len(truth)), folds, (0.0, 0.9), cap=1.0, draws=100)
    curve = repair_curve("uniform", [found, found], 0.9)
    assert list(curve["repair_confidence"]) == [0.0, 0.9] and list(curve["chosen"]) == [False, True]
    frame = repairs(np.arange(len(truth)), given, folds, cap=1.0, least_confidence=0.0)
    after, first = repaired_labels(frame), curve.iloc[0]
    assert first["changed"] == pytest.approx((after != given).mean()) and first["changed"] > curve.iloc[1]["changed"]
    assert first["wrong_before"] == pytest.approx((given != truth).mean())
    assert first["wrong_after"] == pytest.approx((after != truth).mean())
    assert first["wrong_after"] < first["wrong_before"]
    assert first["mended"] == pytest.approx((after == truth)[given != truth].mean())
    assert first["broken"] == pytest.approx((after != truth)[given == truth].mean())
    assert first["wrong_after_low"] <= first["wrong_after"] <= first["wrong_after_high"]
