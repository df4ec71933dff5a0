import numpy as np
import pytest

from anomaly_mlflow.detection.measures import auroc, auroc_of, difference_of, rates_of
from anomaly_mlflow.detection.statistics import Interval, bootstrap, equivalent, exceeds, interval
from anomaly_mlflow.errors import BadData


def planted(n, effect, seeds=1, seed=0):
    generator = np.random.default_rng(seed)
    positive = np.arange(n) < n // 2
    return generator.normal(size=(seeds, n)) + effect * positive, positive


def width(found):
    return found.high - found.low


def test_the_interval_is_as_wide_as_hanley_and_mcneil_say():
    scores, positive = planted(400, 1.0)
    found = interval(auroc_of(scores, positive), positive)[0]
    a = found.value
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = (a * (1 - a) + 199 * (q1 - a * a) + 199 * (q2 - a * a)) / 200**2
    assert width(found) == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.1)
    assert a == pytest.approx(auroc(scores[0], positive))
    assert found.low < a < found.high


def test_the_interval_covers_the_true_value_about_as_often_as_it_says():
    true = 0.5
    covered = []
    for trial in range(200):
        scores, positive = planted(100, 0.0, seed=trial)
        found = interval(auroc_of(scores, positive), positive, level=0.9, draws=200, seed=trial)[0]
        covered.append(found.low <= true <= found.high)
    assert 0.83 < np.mean(covered) < 0.96


def test_repeating_a_seed_of_the_model_makes_no_interval_narrower():
    scores, positive = planted(200, 1.0)
    once = interval(auroc_of(scores, positive), positive)[0]
    thrice = interval(auroc_of(np.repeat(scores, 3, axis=0), positive), positive)[0]
    assert width(thrice) == pytest.approx(width(once), rel=0.1)


def test_seeds_that_disagree_widen_the_interval():
    scores, positive = planted(2000, 0.0)
    same, differing = np.repeat(scores, 2, axis=0), np.stack([scores[0], scores[0] + 2 * positive])
    assert width(interval(auroc_of(differing, positive), positive)[0]) > 0.3
    assert width(interval(auroc_of(same, positive), positive)[0]) < 0.1


def test_a_paired_difference_is_tighter_than_the_arms_alone():
    scores, positive = planted(400, 1.0)
    other = scores + 0.1 * np.random.default_rng(1).normal(size=scores.shape)
    first, second = auroc_of(scores, positive), auroc_of(other, positive)
    assert width(interval(difference_of(first, second), positive)[0]) < 0.3 * width(interval(first, positive)[0])


def test_reversing_a_difference_mirrors_its_interval():
    first, positive = planted(100, 1.0)
    second, _ = planted(100, 0.3, seed=1)
    arms = auroc_of(first, positive), auroc_of(second, positive)
    forth, back = (interval(difference_of(*pair), positive)[0] for pair in (arms, arms[::-1]))
    assert (back.value, back.low, back.high) == pytest.approx((-forth.value, -forth.high, -forth.low))


def test_draws_come_from_the_seed_alone():
    scores, positive = planted(50, 1.0, seeds=3)
    measure = auroc_of(scores, positive)
    same, again, other = (bootstrap(measure, positive, draws=20, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)


def test_draws_in_several_portions_are_all_there(monkeypatch):
    monkeypatch.setattr("anomaly_mlflow.detection.statistics.CELLS", 150)
    scores, positive = planted(50, 1.0, seeds=2)
    assert bootstrap(auroc_of(scores, positive), positive, draws=20).shape == (20,)


def test_rates_get_one_interval_each():
    scores, positive = planted(100, 2.0, seeds=2)
    found = interval(rates_of(scores > 1, positive), positive, draws=200)
    assert len(found) == 3
    assert all(0 <= rate.low <= rate.value <= rate.high <= 1 for rate in found)


def test_one_class_alone_has_no_interval():
    with pytest.raises(BadData, match="both classes"):
        interval(auroc_of(np.ones((1, 4)), np.ones(4, bool)), np.ones(4, bool))


@pytest.mark.parametrize(
    ("low", "high", "answer"), [(0.46, 0.54, True), (0.44, 0.54, None), (0.56, 0.6, False), (0.3, 0.44, False)]
)
def test_equivalence_reads_the_whole_interval(low, high, answer):
    assert equivalent(Interval(0.5, low, high), 0.45, 0.55) is answer


@pytest.mark.parametrize(("low", "high", "answer"), [(0.9, 1, True), (0.8, 0.95, None), (0.7, 0.89, False)])
def test_a_bound_is_exceeded_by_the_whole_interval_or_missed_by_it(low, high, answer):
    assert exceeds(Interval(0.9, low, high), 0.9) is answer


def test_a_strict_bound_is_not_reached_by_touching_it():
    assert exceeds(Interval(0.05, 0.03, 0.07), 0.03, strict=True) is None
