"""A row that should not have been learnt from, or a signal that should not exist, stops the study."""

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.errors import BadData, Leakage
from anomaly_mlflow.studies.leaks import check_references, check_selector
from anomaly_mlflow.training.folds import seen_digest

IDS = np.arange(40) * 3
FOLD = np.arange(40) % 2
TYPES = np.where(np.arange(40) < 30, "clean", np.where(np.arange(40) < 35, "hard", "gross"))
LEDGER = pd.DataFrame({"sample_id": IDS, "anomaly_type": TYPES})


def plan(reference, fold=FOLD, ids=IDS):
    return pd.DataFrame({"sample_id": ids, "fold": fold, "reference": reference})


def seen(reference, fold=FOLD, ids=IDS):
    return [seen_digest(ids[reference & (fold != k)]) for k in range(2)]


def test_a_clean_side_of_clean_rows_passes_in_any_order_of_the_ledger():
    reference = TYPES == "clean"
    check_references(plan(reference), seen(reference), LEDGER.sample(frac=1, random_state=0))


def test_hard_rows_in_the_reference_set_are_a_leak_that_is_counted():
    reference = np.isin(TYPES, ["clean", "hard"])
    with pytest.raises(Leakage, match=r"not clean \(5 hard\)"):
        check_references(plan(reference), seen(reference), LEDGER)


def test_an_encoder_that_learnt_from_a_hard_row_is_a_leak_though_the_plan_denies_it():
    reference, real = TYPES == "clean", (TYPES == "clean") | (np.arange(40) == 31)
    with pytest.raises(Leakage, match="encoder of fold 0 was trained on other rows"):
        check_references(plan(reference), seen(real), LEDGER)


def test_an_encoder_that_learnt_from_what_it_judges_is_a_leak():
    reference = TYPES == "clean"
    with pytest.raises(Leakage, match="encoder of fold 0"):
        check_references(plan(reference), [seen_digest(IDS[reference])] * 2, LEDGER)


def test_a_clean_side_of_other_samples_or_without_an_encoder_is_refused():
    reference = TYPES == "clean"
    with pytest.raises(BadData, match="other samples"):
        check_references(plan(reference, ids=IDS + 1), seen(reference), LEDGER)
    with pytest.raises(BadData, match="1 encoders for 2 folds"):
        check_references(plan(reference), seen(reference)[:1], LEDGER)


def features(values):
    other = np.random.default_rng(0).normal(size=len(IDS))
    return pd.DataFrame({"sample_id": IDS, "dynamics.other": other, "dynamics.values": values})


def test_a_signal_that_repeats_what_chose_the_hard_rows_is_a_leak_in_either_direction_and_any_order():
    margin = np.random.default_rng(1).uniform(-1, 1, len(IDS))
    for copy in (margin, -np.exp(margin)):
        with pytest.raises(Leakage, match=r"dynamics.values repeats the margin"):
            check_selector(features(copy).sample(frac=1, random_state=3), IDS, margin)


def test_a_signal_that_only_resembles_the_margin_passes_and_so_does_a_constant():
    margin = np.random.default_rng(1).uniform(-1, 1, len(IDS))
    check_selector(features(margin + 0.1 * np.random.default_rng(2).normal(size=len(IDS))), IDS, margin)
    check_selector(features(np.ones(len(IDS))), IDS, margin)
    with pytest.raises(BadData, match="other samples"):
        check_selector(features(margin), IDS + 1, margin)
