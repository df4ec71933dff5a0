import numpy as np
import pytest

from anomaly_mlflow.detection.contamination import (
    estimated_contamination,
    f1_ceiling,
    flag,
    pair_rate,
    symmetric_rate,
)


def test_the_threshold_is_the_score_at_the_share_counted_from_0():
    scores = np.arange(20.0)
    assert np.flatnonzero(flag(scores, 0.1)).tolist() == [17, 18, 19]  # floor(2) = 2: the third largest, 17
    assert flag(scores, 0.0).sum() == 1 and flag(scores, 1.0).all()
    assert flag(np.arange(100.0), 0.29).sum() == 30, "0.29 * 100 is 28.999... in binary"


def test_rows_that_tie_with_the_threshold_are_flagged_too():
    assert flag(np.array([3.0, 1, 1, 1, 0]), 0.2).tolist() == [True, True, True, True, False]


@pytest.mark.parametrize("n0", [6000, 50_000])
def test_the_best_f1_of_appended_anomalies_is_not_1(n0):
    assert f1_ceiling(n0 + n0 // 10, n0 // 10, 0.1) == pytest.approx(0.952, abs=5e-4)


def test_the_ceiling_is_what_a_perfect_ranking_reaches():
    positive = np.arange(200) >= 185
    for known in (0.01, 0.05, 0.075, 0.2):
        flagged = flag(np.arange(200.0), known)
        f1 = 2 * (flagged & positive).sum() / (flagged.sum() + positive.sum())
        assert f1_ceiling(200, 15, known) == pytest.approx(f1)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_two_groups_far_apart_are_counted_whatever_the_scale(share, scale):
    rng = np.random.default_rng(0)
    scores = np.where(np.arange(2000) < 2000 * share, 30.0, 0.0) + rng.normal(size=2000)
    assert estimated_contamination(scale * scores) == pytest.approx(share, abs=0.01)


def test_the_estimate_bears_long_tails_and_scores_below_0():
    rng = np.random.default_rng(1)
    bulk, upper = np.exp(rng.normal(0, 1, 900)), np.exp(rng.normal(12, 1, 100))
    assert estimated_contamination(np.append(bulk, upper)) == pytest.approx(0.1, abs=0.02)
    assert estimated_contamination(np.append(-100 - bulk, -bulk[:100] / 1e3)) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("scale", [1e-15, 1e-9, 1.0])
def test_scores_of_which_most_are_0_are_counted_whatever_the_scale(scale):
    upper = 5 + np.random.default_rng(2).random(200)
    scores = scale * np.append(np.zeros(800), upper)
    assert estimated_contamination(scores) == pytest.approx(0.2)
    assert estimated_contamination(np.append(np.full(800, 1e-310), upper)) == pytest.approx(0.2)


def test_nothing_is_estimated_from_scores_that_are_all_equal():
    assert estimated_contamination(np.full(50, 7.0)) == 0 == estimated_contamination(np.zeros(50))


def test_the_rate_of_wrong_labels_from_the_agreement_of_held_out_predictions_by_hand():
    assert symmetric_rate(0.8**2 + 0.2**2 / 9, 10) == pytest.approx(0.2)
    assert symmetric_rate(0.64 + 0.04, 2) == pytest.approx(0.2) == pair_rate(0.68)
    assert pair_rate(0.52) == pytest.approx(0.4)
    assert symmetric_rate(1.0, 10) == pair_rate(1.0) == 0


def test_an_agreement_below_chance_is_the_rate_at_which_labels_say_nothing():
    assert symmetric_rate(0.05, 10) == pytest.approx(0.9) and pair_rate(0.3) == pytest.approx(0.5)


def test_a_model_that_resists_the_noise_makes_the_rate_come_out_too_small():
    assert symmetric_rate(1 - 0.35, 10) == pytest.approx(0.196, abs=1e-3)
