"""What trainings made of a label, worked out by hand."""

import numpy as np
import pytest
from scipy.stats import zscore
from sklearn.neighbors import KNeighborsClassifier

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals import Evidence, find
from anomaly_mlflow.training.probes import SUITES, ProbeRun
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.second_split import SecondSplit

UNTOUCHED, WRONG, RANDOM, CORRUPTED = range(4)


def value(name, rows, labels=None, **evidence):
    labels = np.zeros(rows, np.int64) if labels is None else np.asarray(labels)
    return find(name)(Evidence(np.arange(rows), labels, 3, **evidence))


def recorded(*probabilities, label=0):
    """The recording of one row: probabilities of the classes, epoch by epoch."""
    logits = np.log(np.array(probabilities, dtype=np.float64))[:, None, :]
    return {"rows": 1, "labels": [label], "recording": Recording(logits, np.array([label]), np.arange(1), logits[:, 0])}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cartography_confidence", 1 - 0.5),
        ("threshold_closeness", 0.25),
        ("data_iq_aleatoric", (0.09 + 0.24 + 0.16 + 0.21) / 4),
        ("confidence_variability", ((0.16 + 0.01 + 0.09 + 0.04) / 4) ** 0.5),
        ("wrong_events", 2),
    ],
)
def test_a_data_map_of_a_label_whose_probability_is_1_4_8_and_7_tenths(name, expected):
    history = recorded([0.1, 0.8, 0.1], [0.4, 0.5, 0.1], [0.8, 0.1, 0.1], [0.7, 0.2, 0.1])
    np.testing.assert_allclose(value(name, **history), [expected], rtol=1e-6)


def test_el2n_is_the_mean_error_norm_of_the_first_fifth():
    # errors (-.5, .3, .2) and (-.2, .1, .1) of the first two of 12 epochs
    history = recorded([0.5, 0.3, 0.2], [0.8, 0.1, 0.1], *[[0.1, 0.1, 0.8]] * 10)
    np.testing.assert_allclose(value("el2n", **history), [(0.38**0.5 + 0.06**0.5) / 2], rtol=1e-6)
    one_epoch = recorded([0.2, 0.3, 0.5], label=2)
    np.testing.assert_allclose(value("el2n", **one_epoch), [0.38**0.5], rtol=1e-6)


def test_the_variance_of_gradients_is_normalised_within_each_given_label():
    spread, labels = np.array([1, 2, 3, 10, 30, 7], np.float32), [0, 0, 0, 1, 1, 2]
    expected = [-(1.5**0.5), 0, 1.5**0.5, -1, 1, 0]
    result = value("variance_of_gradients", 6, labels, gradient_spread=spread)
    np.testing.assert_allclose(result, expected, atol=1e-12)
    np.testing.assert_allclose(result[:3], zscore(spread[:3]), rtol=1e-6)


def test_rows_of_one_label_with_the_same_spread_stay_at_0():
    spread = np.full(7, 0.1, np.float32)
    np.testing.assert_array_equal(value("variance_of_gradients", 7, gradient_spread=spread), np.zeros(7))


def test_the_second_split_forgetting_time_counts_from_the_last_correct_epoch():
    # SSFT of T = 4 epochs: 1 lost at once, 3, 5 never lost, 5 lost and found again, 4
    correct = np.array([[0, 1, 1, 1, 0], [0, 1, 1, 0, 0], [0, 0, 1, 0, 1], [0, 0, 1, 1, 0]], bool)
    splits = [SecondSplit(np.array([4, 3, 2, 1, 0]), correct)]
    np.testing.assert_array_equal(value("second_split_forgetting", 5, second_split=splits), [1, 0, 0, 2, 4])


def test_a_row_in_several_splits_gets_their_mean_and_a_row_in_none_is_an_error():
    kept, lost = np.ones((3, 2), bool), np.zeros((3, 2), bool)
    splits = [SecondSplit(np.array([0, 1]), kept), SecondSplit(np.array([1, 2]), lost)]
    np.testing.assert_array_equal(value("second_split_forgetting", 3, second_split=splits), [0, 1.5, 3])
    with pytest.raises(BadData, match="2 samples are in no split"):
        value("second_split_forgetting", 5, second_split=splits)


def run(*groups):
    """A training of one epoch from groups (suite, how many rows, their loss), in this order; suite -1 = no probe."""
    suites, counts, losses = zip(*groups, strict=True)
    return ProbeRun(np.repeat(losses, counts)[None].astype(np.float32), np.repeat(suites, counts))


PROBES = [(UNTOUCHED, 20, 0.5), (WRONG, 14, 5.5), (RANDOM, 6, 4.2), (CORRUPTED, 10, 7.0)]


def test_a_row_is_what_its_20_nearest_probes_are():
    both = [run(*PROBES, (-1, 1, 5.0), (-1, 1, 0.0)), run((-1, 50, 0.0), (WRONG, 1, 5.0), (RANDOM, 1, 0.0))]
    # row 50 lies beside 14 wrong labels and then 6 random images, row 51 beside 20 untouched rows
    np.testing.assert_allclose(value("probe_wrong_label", 52, probes=both)[50:], [14 / 20, 0])
    np.testing.assert_allclose(value("probe_random_input", 52, probes=both)[50:], [6 / 20, 0])
    # the first 50 count in the second run alone, which has but two probes
    np.testing.assert_allclose(value("probe_wrong_label", 52, probes=both)[:50], 1 / 2)


def test_a_row_that_is_no_probe_in_two_runs_gets_their_mean():
    first = run((WRONG, 20, 1.0), (RANDOM, 20, 3.0), (-1, 40, 1.1))
    second = run((-1, 40, 1.0), (WRONG, 10, 1.0), (UNTOUCHED, 20, 1.0), (RANDOM, 9, 2.0), (-1, 1, 2.0))
    # its nearest in the second run: 9 random images, then 11 of the 30 others
    assert value("probe_wrong_label", 80, probes=[first, first, second])[79] > 2 / 3
    np.testing.assert_allclose(value("probe_random_input", 80, probes=[first, first, second])[79], 9 / 20 / 3)


def test_a_row_that_is_a_probe_in_every_run_and_a_run_without_probes_are_errors():
    with pytest.raises(BadData, match="5 samples are probes in every run"):
        value("probe_wrong_label", 8, probes=[run((WRONG, 5, 1.0), (-1, 3, 1.0)), run((RANDOM, 6, 1.0), (-1, 2, 1.0))])
    with pytest.raises(BadData, match="no probes"):
        value("probe_wrong_label", 8, probes=[run((-1, 8, 1.0))])


def test_suite_shares_are_the_probabilities_of_scikit_learns_classifier():
    rng = np.random.default_rng(0)
    loss, order = rng.gamma(1.0, size=(8, 400)).astype(np.float32), rng.permutation(400)
    runs = []
    for rows in (order[:80], order[80:160]):
        suite = np.full(400, -1)
        suite[rows] = np.arange(80) % len(SUITES)
        runs.append(ProbeRun(loss * rng.uniform(0.9, 1.1, loss.shape).astype(np.float32), suite))
    expected, free = np.zeros((400, len(SUITES))), order[160:]
    for run in runs:
        classifier = KNeighborsClassifier(20).fit(run.loss.T[run.suite >= 0], run.suite[run.suite >= 0])
        expected += classifier.predict_proba(run.loss.T) / 2
    shares = Evidence(np.arange(400), np.zeros(400, int), 2, probes=runs).suite_shares
    np.testing.assert_allclose(shares[free], expected[free], atol=1e-12)
