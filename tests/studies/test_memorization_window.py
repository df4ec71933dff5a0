"""The finder of the window of divergence on simulated curves whose window is known."""

import numpy as np
import pytest

from anomaly_mlflow.studies.memorization_window import divergence_window, memorization_spike

EPOCHS = np.arange(15)
ERROR = 0.008


def bump(centre, width, height=0.2):
    """A gap whose half maximum lies width * sqrt(2 ln 2) to either side of its centre."""
    return height * np.exp(-((EPOCHS - centre) ** 2) / (2 * width**2))


def collapse():
    """As the report tells it: both fall, the conflicting curve later, and both end near 0."""
    return 2 / (1 + np.exp(1.2 * (EPOCHS - 3))), 2 / (1 + np.exp(1.2 * (EPOCHS - 8.5)))


def noisy(clean, conflicting, seed, error=ERROR):
    rng = np.random.default_rng(seed)
    curves = [curve + error * rng.normal(size=len(curve)) for curve in (clean, conflicting)]
    return divergence_window(*curves, np.full(len(clean), error * np.sqrt(2)))


@pytest.mark.parametrize(("centre", "width"), [(5, 1.5), (6, 2.0), (7, 2.5)])
def test_a_known_window_is_recovered_within_one_epoch(centre, width):
    reach = width * np.sqrt(2 * np.log(2))
    truth = np.array([np.ceil(centre - reach), centre, np.floor(centre + reach)])
    falling = np.linspace(1.5, 0.2, 15)
    for seed in range(200):
        found = noisy(falling, falling + bump(centre, width), seed)
        assert np.abs(np.array([found.start, found.peak, found.end]) - truth).max() <= 1, seed
        assert found.closed and found.gap == pytest.approx(0.2, abs=0.06)


def test_the_window_of_a_collapse_lies_between_the_two_falls():
    clean, conflicting = collapse()  # half of the gap of nearly 2 is where one of them has fallen by half
    for seed in range(200):
        found = noisy(clean, conflicting, seed, error=0.03)
        assert abs(found.start - 3) <= 1 and abs(found.end - 8) <= 1, seed
        assert found.start <= found.peak <= found.end and found.closed


@pytest.mark.parametrize("drift", [0.0, -0.1])
def test_flat_curves_have_no_window_but_for_the_chance_of_the_test(drift):
    curve = 1.5 + drift * EPOCHS
    found = [noisy(curve, curve, seed) is not None for seed in range(1000)]
    assert np.mean(found) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 1000)


def test_a_gap_that_stays_has_an_open_end_and_one_the_other_way_round_is_none():
    clean = np.linspace(1.5, 0.5, 15)
    open_ended = noisy(clean, clean + np.minimum(EPOCHS / 20, 0.3), 0)
    assert open_ended.end == 14 and not open_ended.closed
    assert noisy(clean, clean - 0.3, 0) is None


def test_without_error_the_window_is_that_computed_by_hand():
    gap = np.array([0.0, 0.1, 0.3, 0.4, 0.2, 0.19, 0.3, 0.0])
    found = divergence_window(np.zeros(8), gap, np.zeros(8))
    assert (found.start, found.peak, found.end, found.closed, found.gap) == (2, 3, 4, True, 0.4)
    assert divergence_window(np.zeros(1), np.ones(1), np.zeros(1)).closed is False


def test_the_spike_is_the_steepest_rise_and_a_flat_share_has_none():
    share = 1 / (1 + np.exp(-1.5 * (EPOCHS - 8.5)))  # steepest from 8 to 9
    spikes, flat = [], []
    for seed in range(200):
        noise = 0.01 * np.random.default_rng(seed).normal(size=15)
        spikes.append(memorization_spike(share + noise, np.full(14, 0.01 * np.sqrt(2))))
        flat.append(memorization_spike(0.1 + noise, np.full(14, 0.01 * np.sqrt(2))))
    assert set(spikes) <= {8, 9, 10} and np.bincount(spikes).argmax() == 9
    assert np.mean([one is not None for one in flat]) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)
    assert memorization_spike(np.array([0.3]), np.empty(0)) is None
