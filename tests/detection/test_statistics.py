import numpy as np
import pytest

from anomaly_mlflow.detection.measures import auroc, auroc_of, difference_of, rates_of
from anomaly_mlflow.detection.statistics import Interval, bootstrap, equivalent, exceeds, interval
from anomaly_mlflow.errors import BadData


def planted(n, effect, seeds=1, seed=0):
    generator = np.random.default_rng(seed)
    positive = np.arange(n) < n // 2
    return generator.normal(size=(seeds, n)) + effect * positive, positive


def clustered(sources, seed, size=10):
    """Positives in groups of this size, alike within each, and as many lone negatives; no effect."""
    generator = np.random.default_rng(seed)
    n = sources * size
    own, shared = generator.normal(size=2 * n), np.repeat(generator.normal(size=sources), size)
    own[:n] = 0.6 * own[:n] + 0.8 * shared
    return own[None], np.arange(2 * n) < n, np.r_[np.repeat(np.arange(sources), size), sources + np.arange(n)]


def plain(scores, positive):
    """The AUROC of rows that were all held out in one fold."""
    return auroc_of(scores, positive, np.zeros(len(positive), int))


def alone(positive):
    """Every row a source of its own."""
    return np.arange(len(positive))


def coverage(world, groups_of, trials=200, level=0.9):
    covered = []
    for trial in range(trials):
        scores, positive, groups = world(trial)
        found = interval(plain(scores, positive), positive, groups_of(groups), level=level, draws=200, seed=trial)[0]
        covered.append(found.low <= 0.5 <= found.high)
    return np.mean(covered)


def width(found):
    return found.high - found.low


def test_the_interval_is_as_wide_as_hanley_and_mcneil_say():
    scores, positive = planted(400, 1.0)
    found = interval(plain(scores, positive), positive, alone(positive))[0]
    a = found.value
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = (a * (1 - a) + 199 * (q1 - a * a) + 199 * (q2 - a * a)) / 200**2
    assert width(found) == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.1)
    assert a == pytest.approx(auroc(scores[0], positive))
    assert found.low < a < found.high


def test_the_interval_covers_the_true_value_about_as_often_as_it_says():
    assert 0.83 < coverage(lambda trial: (*planted(100, 0.0, seed=trial), np.arange(100)), alone) < 0.96


def test_groups_make_the_interval_cover_where_rows_of_one_source_are_alike_and_rows_would_not():
    def world(trial):
        return clustered(30, seed=trial)

    assert 0.83 < coverage(world, lambda groups: groups) < 0.96
    assert coverage(world, lambda groups: np.arange(len(groups))) < 0.75


def test_groups_of_one_row_are_resampled_as_rows_are_whatever_their_numbers():
    scores, positive = planted(60, 0.5, seeds=2)
    generator = np.random.default_rng(5)
    rows = [np.flatnonzero(positive), np.flatnonzero(~positive)]
    weights = np.zeros((40, 60))
    for side in rows:  # the row bootstrap, written out
        picked = side[generator.integers(0, len(side), (40, len(side)))]
        np.add.at(weights, (np.arange(40)[:, None], picked), 1)
    drawn = generator.integers(0, 2, (40, 1))  # one fewer than there are seeds
    expected = np.take_along_axis(plain(scores, positive)(weights), drawn, axis=1).mean(axis=1)
    numbers = np.random.default_rng(1).permutation(1000)[:60]
    for groups in (np.arange(60), numbers):
        found = bootstrap(plain(scores, positive), positive, groups, draws=40, seed=5)
        assert found == pytest.approx(expected, abs=1e-12)


def test_rows_of_a_group_come_along_together_and_classes_keep_their_number_of_groups():
    positive, groups = np.arange(12) < 8, np.array([3, 3, 3, 1, 1, 7, 9, 9, 3, 4, 4, 5])
    seen = []
    bootstrap(lambda weights: seen.append(weights) or weights[:, :1], positive, groups, draws=50)
    for side in (positive, ~positive):
        numbers = np.unique(groups[side])
        first = [np.flatnonzero(side & (groups == number)) for number in numbers]
        assert all((seen[0][:, rows] == seen[0][:, rows[:1]]).all() for rows in first)
        assert (seen[0][:, [rows[0] for rows in first]].sum(axis=1) == len(numbers)).all()
    assert (seen[0][:, 0] != seen[0][:, 8]).any()  # group 3 is drawn for each class by itself


@pytest.mark.parametrize("few_side", [True, False])
def test_under_five_sources_of_a_class_leave_the_value_without_an_interval(few_side):
    scores, positive = planted(100, 1.0)
    for sources, known in ((4, False), (5, True)):
        groups = np.where(positive == few_side, np.arange(100) % sources, 1000 + np.arange(100))
        found = interval(plain(scores, positive), positive, groups, draws=50)[0]
        assert found.value == pytest.approx(auroc(scores[0], positive))
        assert [np.isfinite(found.low), np.isfinite(found.high)] == [known, known]
        assert known or equivalent(found, 0, 1) is exceeds(found, 0) is None


def test_draws_that_leave_no_fold_with_both_classes_are_left_out():
    positive, fold = np.arange(10) < 5, np.arange(10) % 5
    measure = auroc_of(np.arange(10.0)[None], positive, fold)
    drawn = bootstrap(measure, positive, np.arange(10), draws=500)
    assert 0 < np.isnan(drawn).mean() < 0.05
    assert interval(measure, positive, np.arange(10), draws=500) == [Interval(0.0, 0.0, 0.0)]


def test_repeating_a_seed_of_the_model_makes_no_interval_narrower():
    scores, positive = planted(200, 1.0)
    once = interval(plain(scores, positive), positive, alone(positive))[0]
    thrice = interval(plain(np.repeat(scores, 3, axis=0), positive), positive, alone(positive))[0]
    assert width(thrice) == pytest.approx(width(once), rel=0.1)


def test_seeds_that_differ_by_chance_leave_the_interval_covering():
    covered = []
    for trial in range(200):
        generator = np.random.default_rng(trial)
        positive, own = np.arange(120) < 60, generator.normal(size=120)
        scores = np.stack([own + 0.2 * generator.normal() * positive for _ in range(3)])
        found = interval(plain(scores, positive), positive, alone(positive), draws=200, seed=trial)[0]
        covered.append(found.low <= 0.5 <= found.high)
    assert 0.9 <= np.mean(covered) <= 0.99


def test_seeds_that_disagree_widen_the_interval():
    scores, positive = planted(2000, 0.0)
    same, differing = np.repeat(scores, 2, axis=0), np.stack([scores[0], scores[0] + 2 * positive])
    assert width(interval(plain(differing, positive), positive, alone(positive))[0]) > 0.3
    assert width(interval(plain(same, positive), positive, alone(positive))[0]) < 0.1


def test_a_paired_difference_is_tighter_than_the_arms_alone():
    scores, positive = planted(400, 1.0)
    other = scores + 0.1 * np.random.default_rng(1).normal(size=scores.shape)
    first, second = plain(scores, positive), plain(other, positive)
    paired, single = (
        interval(measure, positive, alone(positive))[0] for measure in (difference_of(first, second), first)
    )
    assert width(paired) < 0.3 * width(single)


def test_reversing_a_difference_mirrors_its_interval():
    first, positive = planted(100, 1.0)
    second, _ = planted(100, 0.3, seed=1)
    arms = plain(first, positive), plain(second, positive)
    forth, back = (interval(difference_of(*pair), positive, alone(positive))[0] for pair in (arms, arms[::-1]))
    assert (back.value, back.low, back.high) == pytest.approx((-forth.value, -forth.high, -forth.low))


def test_draws_come_from_the_seed_alone():
    scores, positive = planted(50, 1.0, seeds=3)
    measure = plain(scores, positive)
    same, again, other = (bootstrap(measure, positive, alone(positive), draws=20, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)


def test_draws_in_several_portions_are_all_there(monkeypatch):
    monkeypatch.setattr("anomaly_mlflow.detection.statistics.CELLS", 150)
    scores, positive = planted(50, 1.0, seeds=2)
    assert bootstrap(plain(scores, positive), positive, alone(positive), draws=20).shape == (20,)


def test_rates_get_one_interval_each():
    scores, positive = planted(100, 2.0, seeds=2)
    found = interval(rates_of(scores > 1, positive), positive, alone(positive), draws=200)
    assert len(found) == 3
    assert all(0 <= rate.low <= rate.value <= rate.high <= 1 for rate in found)


def test_one_class_alone_has_no_interval():
    with pytest.raises(BadData, match="both classes"):
        interval(plain(np.ones((1, 4)), np.ones(4, bool)), np.ones(4, bool), np.arange(4))


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
