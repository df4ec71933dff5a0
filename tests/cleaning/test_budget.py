import numpy as np
import pytest

from anomaly_mlflow.cleaning import budget_surface
from anomaly_mlflow.cleaning.budget import AccuracyGrid, accuracy_grid, corrected
from anomaly_mlflow.cleaning.budget_advice import advise, frontier
from anomaly_mlflow.cleaning.budget_surface import Surface, fit_surface, over_seeds
from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.report.figures.budget import budget_figure

N, C = 3000, 4
GROUPS = np.arange(N)


def world(seed=0, spread=1.6):
    """Four Gaussian classes in ten dimensions."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, C, N)
    return rng.normal(size=(N, 10)) + spread * np.eye(C, 10)[labels], labels


def wrong(labels, rate, seed=3):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(N) < rate, (labels + rng.integers(1, C, N)) % C, labels)


@pytest.fixture(scope="module")
def grid():
    embeddings, labels = world()
    return accuracy_grid(embeddings, labels, C, GROUPS, [50, 100, 200, 400, 800, 1600], [0, 0.15, 0.3, 0.45], seeds=3)


def law(labels, rate, k=2.0):
    """A world whose accuracy is known."""
    return 1 - (0.1 + 2 * (labels * (1 - rate * C / (C - 1)) ** k) ** -0.5)


def planted(seeds=4, noise=0.0, k=2.0):
    sizes, rates = np.array([100, 200, 400, 800]), np.array([0.0, 0.1, 0.2, 0.3])
    exact = law(sizes[:, None], rates[None, :], k)
    drawn = exact + noise * np.random.default_rng(0).normal(size=(seeds, *exact.shape))
    return AccuracyGrid(sizes, rates, C, drawn, "planted labels")


def test_more_labels_and_fewer_errors_help(grid):
    mean = grid.accuracy.mean(axis=0)
    assert grid.accuracy.shape == (3, 6, 4)
    assert mean[-1, 0] > mean[0, 0] + 0.02 and mean[1, 0] > mean[1, -1] + 0.05
    assert (np.diff(mean[:, [0, -1]].mean(axis=1)) > -0.02).all()


def test_the_correction_by_hand():
    # of 10 classes with 20 % wrong, a model right on 90 % is right on .9 * .8 + .1 * .2 / 9 of the given labels
    assert corrected(np.array(0.9 * 0.8 + 0.1 * 0.2 / 9), 0.2, 10) == pytest.approx(0.9)
    assert corrected(np.array(0.25), 0.5, 4) == pytest.approx(0.25), "guessing stays guessing"


def test_accuracy_against_wrong_labels_is_corrected_to_that_against_right_ones():
    embeddings, labels = world()
    sizes, rates = [400, 1600], [0.25, 0.4]
    noisy = wrong(labels, 0.25)
    found = accuracy_grid(embeddings, noisy, C, GROUPS, sizes, rates, given_rate=0.25, seeds=4)
    truth = accuracy_grid(embeddings, labels, C, GROUPS, sizes, rates, seeds=4)
    assert np.abs(found.accuracy.mean(axis=0) - truth.accuracy.mean(axis=0)).max() < 0.04
    assert "corrected for 25.0% wrong ones" in found.against and truth.against == "given labels, taken to be right"


def test_checked_rows_are_held_out_and_never_learnt_from():
    embeddings, labels = world()
    checked = np.arange(N) < 500
    twisted = np.where(checked, (labels + 1) % C, labels)
    found = accuracy_grid(embeddings, twisted, C, GROUPS, [2000, 2500], [0.0, 0.1], checked=checked, seeds=1)
    assert found.accuracy.max() < 0.15 and found.against == "rows whose label was checked"
    with pytest.raises(BadOption, match=r"2501 labels are asked for and 2500 can be learnt from"):
        accuracy_grid(embeddings, labels, C, GROUPS, [2000, 2501], [0.0, 0.1], checked=checked, seeds=1)
    pairs = np.arange(N) // 2 + (np.arange(N) == 500) * -1  # row 500 joins the group of a checked row
    with pytest.raises(BadOption, match="2499 can be learnt from"):
        accuracy_grid(embeddings, labels, C, pairs, [2500], [0.0], checked=checked, seeds=1)
    with pytest.raises(BadData, match="no row is checked"):
        accuracy_grid(embeddings, labels, C, GROUPS, [100], [0.0], checked=np.zeros(N, bool))


def test_the_seed_alone_decides():
    embeddings, labels = world()
    first, again, other = (
        accuracy_grid(embeddings, labels, C, GROUPS, [60, 90], [0, 0.2], seeds=1, seed=s).accuracy for s in (0, 0, 1)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("sizes", "rates"),
    [([], [0.1]), ([3], [0.1]), ([90, 90], [0.1]), ([90, 50], [0.1]), ([90], []), ([90], [0.2, 0.1]), ([90], [0.75])],
)
def test_sizes_and_rates_that_make_no_sense_are_refused(sizes, rates):
    with pytest.raises(BadOption, match="must rise"):
        accuracy_grid(*world(), C, GROUPS, sizes, rates)


def test_a_rate_below_that_of_the_labels_is_refused():
    with pytest.raises(BadOption, match=r"within 0\.2 \(as given\)"):
        accuracy_grid(*world(), C, GROUPS, [90], [0.1, 0.3], given_rate=0.2)


def test_a_planted_curve_is_found_and_goes_on_beyond_the_grid():
    surface = fit_surface(planted())
    assert surface.accuracy(400, 0.1) == pytest.approx([law(400, 0.1)] * 4, abs=1e-3)
    assert surface.accuracy(3200, 0.05) == pytest.approx([law(3200, 0.05)] * 4, abs=5e-3)
    assert surface.coefficients[0] == pytest.approx([0.1, 2, 0.5, 2], rel=0.05)
    assert surface.measured(400, 0.05) and not surface.measured(900, 0.1) and not surface.measured(400, 0.31)


def test_the_curve_foretells_a_corner_that_it_has_not_seen(grid):
    known = AccuracyGrid(grid.sizes[:-1], grid.rates[1:], C, grid.accuracy[:, :-1, 1:], grid.against)
    told = fit_surface(known).accuracy(1600, 0.0).mean()
    assert told == pytest.approx(grid.accuracy[:, -1, 0].mean(), abs=0.03)


def test_too_small_a_grid_for_a_curve_is_refused():
    grid = planted()
    for part in ((slice(2), slice(None)), (slice(None), slice(1))):
        small = AccuracyGrid(grid.sizes[part[0]], grid.rates[part[1]], C, grid.accuracy[:, *part], "")
        with pytest.raises(BadData, match="three numbers of labels and two error rates"):
            fit_surface(small)


def test_the_frontier_by_hand():
    accuracy = np.array([[[0.8, 0.6], [0.85, 0.7], [0.9, 0.84]]])
    grid = AccuracyGrid(np.array([10, 20, 40]), np.array([0.0, 0.2]), C, accuracy, "")
    table = frontier(grid, lambda rate: 3 if rate == 0 else 1)
    # costs: 30, 60, 120 of right labels and 10, 20, 40 of others; 60 for .85 beats 40 for .84, and 30 for .8 beats none
    assert table["cost"].tolist() == [10, 20, 30, 40, 60, 120]
    assert table["accuracy"].tolist() == [0.6, 0.7, 0.8, 0.84, 0.85, 0.9] and table["best"].all()
    assert table["regime"].tolist() == ["quantity", "quality", "quantity", "quality", "quantity", ""]
    dear = frontier(grid, lambda rate: 9 if rate == 0 else 1)
    assert dear[dear["best"]]["labels"].tolist() == [10, 20, 40, 20, 40]
    assert np.isnan(table["low"]).all(), "one seed has no interval"


def test_no_place_of_the_frontier_is_beaten_by_one_as_cheap(grid):
    table = frontier(grid, lambda rate: 1 / (rate + 0.05))
    for place in table[table["best"]].itertuples():
        assert (table.loc[table["cost"] <= place.cost, "accuracy"] <= place.accuracy).all()
    for place in table[~table["best"]].itertuples():
        assert ((table["cost"] <= place.cost) & (table["accuracy"] >= place.accuracy)).sum() > 1


def test_checks_win_where_labels_are_bad_and_cheap_to_check_and_labelling_where_they_are_right():
    surface = fit_surface(planted(noise=0.001))
    bad = advise(surface, labels=800, rate=0.3, budget=400, hit_rate=0.6)
    assert bad.choice == "relabel" and bad.difference.low > 0
    assert bad.relabelled.value == pytest.approx(law(800, 0.0) - law(800, 0.3), abs=0.01)
    assert bad.more.value == pytest.approx(law(1200, 0.3) - law(800, 0.3), abs=0.01)
    assert bad.sentence.startswith("Check labels: with 800 labels, 30.0% of them wrong, a budget of 400 buys 400 more")
    assert bad.extrapolated and "beyond the measured grid" in bad.sentence and "planted labels" in bad.sentence
    right = advise(surface, labels=200, rate=0.01, budget=200)
    assert right.choice == "label_more" and right.difference.high < 0 and not right.extrapolated
    assert right.relabelled.value == pytest.approx(law(200, 0.0) - law(200, 0.01), abs=0.005)


def test_prices_turn_the_choice():
    surface = fit_surface(planted(noise=0.001))
    cheap, dear = (advise(surface, labels=400, rate=0.2, budget=100, check_cost=cost).choice for cost in (0.25, 20))
    assert (cheap, dear) == ("relabel", "label_more")


def test_what_seeds_do_not_settle_is_left_undecided():
    grid = planted(seeds=3)
    surface = Surface(grid, np.array([[0.1, 2, 0.5, k] for k in (0.2, 1.0, 3.0)]))
    found = advise(surface, labels=400, rate=0.2, budget=300)
    assert found.choice == "undecided" and found.difference.low < 0 < found.difference.high
    assert advise(fit_surface(planted(seeds=1)), labels=400, rate=0.2, budget=300).choice == "undecided"


def test_checks_are_no_more_than_the_labels_and_no_more_errors_are_found_than_there_are():
    surface = fit_surface(planted())
    all_of_them = advise(surface, labels=400, rate=0.2, budget=1e6, hit_rate=1.0)
    assert "checks of 400 that leave 0.0% wrong" in all_of_them.sentence
    drawn, ranked = (advise(surface, labels=400, rate=0.2, budget=100, hit_rate=hits) for hits in (None, 0.6))
    assert "checks of 100 that leave 15.0% wrong" in drawn.sentence
    assert "checks of 100 that leave 5.0% wrong" in ranked.sentence


@pytest.mark.parametrize("change", [{"budget": 0}, {"labels": 0}, {"rate": 1.0}, {"check_cost": -1}, {"hit_rate": 1.5}])
def test_a_question_that_makes_no_sense_is_refused(change):
    with pytest.raises(BadOption, match="must be above 0"):
        advise(fit_surface(planted()), **({"labels": 400, "rate": 0.2, "budget": 10} | change))


def test_the_interval_over_seeds_by_hand():
    found = over_seeds(np.array([0.7, 0.8, 0.9]))
    # Student's t with 2 degrees of freedom: 4.3027; standard error .1 / sqrt(3)
    assert (found.value, found.high - found.value) == (
        pytest.approx(0.8),
        pytest.approx(4.3027 * 0.1 / 3**0.5, rel=1e-4),
    )


def test_a_fit_that_fails_is_told(monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(budget_surface, "curve_fit", fails)
    with pytest.raises(BadData, match="no learning curve fits"):
        fit_surface(planted())


def test_the_figure_frames_the_frontier_and_tells_the_regimes(grid):
    table = frontier(grid, lambda rate: 1 / (rate + 0.05))
    figure = budget_figure(grid, table)
    left, right = figure.axes[:2]
    assert len(left.patches) == table["best"].sum() and len(left.texts) == 24
    assert {text.get_text() for text in figure.legends[0].get_texts()} >= {"next: more labels", "end of the frontier"}
    assert right.get_xscale() == "log"
