"""Part-dependent and PMD noise: by hand, and against the formulas of the papers' code."""

import numpy as np
import pytest
from scipy.special import softmax

from anomaly_mlflow.anomalies.conventions import CONVENTIONS
from anomaly_mlflow.anomalies.injector import Host, generator, row_uniform
from anomaly_mlflow.anomalies.instance_dependent import flip_rates
from anomaly_mlflow.anomalies.polynomial_margin import TAU
from anomaly_mlflow.anomalies.similarity import Tables
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption

N, C = 6000, 5
FREE = np.ones(N, bool)
KINDS = (1, 2, 3)


def world(sharpness=3.0, seed=0, images=None):
    """A model that errs on some rows: logits that lean to the true class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, C, N)
    eta = softmax(rng.normal(size=(N, C)) + sharpness * np.eye(C)[labels], axis=1)
    images = np.zeros((N, 4, 4, 1), np.uint8) if images is None else images
    samples = Samples(images, labels, np.arange(N), tuple("abcde"))
    return Host(samples, Tables({}, {}, "", ""), "noise", "random", seed, eta)


def given(host, name, rate, free=FREE):
    rows, labels = CONVENTIONS[name].apply(host, rate, free)
    everything = host.samples.labels.copy()
    everything[rows] = labels
    return everything


def real(host, *arguments):
    return (given(host, *arguments) != host.samples.labels).mean()


@pytest.mark.parametrize(
    ("kind", "at_0", "at_half", "at_1"), [(1, 0.5, 0.375, 0), (2, 1, 0.875, 0), (3, 1, 1 - 0.875 / 3, 0)]
)
def test_tau_by_hand(kind, at_0, at_half, at_1):
    assert [TAU[kind](d) for d in (0.0, 0.5, 1.0)] == pytest.approx([at_0, at_half, at_1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", [0.1, 0.35, 0.7])
def test_the_real_rate_is_that_asked_though_the_model_errs(kind, rate):
    host = world()
    errors = (host.eta.argmax(axis=1) != host.samples.labels).mean()
    assert 0.01 < errors < 0.1
    assert real(host, f"pmd_{kind}", rate) == pytest.approx(rate, abs=1 / N)
    assert real(host, f"pmd_{kind}_true", rate) == pytest.approx(rate, abs=1 / N)


@pytest.mark.parametrize(("kind", "factor"), [(1, 1.43), (2, 1.32), (3, 1.35)])
def test_labels_are_those_of_the_papers_rule_at_the_factor_that_gives_their_rate(kind, factor):
    host = world(sharpness=9.0)  # sure as PLC's own model: the published factor then means about 35 %
    order = np.argsort(-host.eta, axis=1)
    first, second = order[:, 0], order[:, 1]
    d = np.take_along_axis(host.eta, order[:, :1], 1)[:, 0] - np.take_along_axis(host.eta, order[:, 1:2], 1)[:, 0]
    level = {1: np.maximum(1 - (1 / 2 - d**2 / 2), 0.5), 2: d**3, 3: (d**3 + d**2 + d) / 3}[kind]
    expected = np.where(row_uniform(host, f"pmd_{kind}") < level / factor, first, second)
    rate = (expected != host.samples.labels).mean()
    assert rate == pytest.approx(0.35, abs=0.1)
    found = given(host, f"pmd_{kind}", rate)
    assert (found != expected).mean() < 0.001 and set(np.unique(found)) == set(range(C))


@pytest.mark.parametrize("name", [f"pmd_{kind}{base}" for kind in KINDS for base in ("", "_true")])
def test_narrow_margins_err_more(name):
    host = world()
    wrong = given(host, name, 0.3) != host.samples.labels
    top = np.sort(host.eta, axis=1)
    narrow = top[:, -1] - top[:, -2] < 0.5
    assert wrong[narrow].mean() > wrong[~narrow].mean() + 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_is_one_of_the_models_first_two_or_the_true_one_and_the_models_first_other(kind):
    host, rows = world(sharpness=2.0), np.arange(N)
    first, second = np.argsort(-host.eta, axis=1)[:, :2].T
    found = given(host, f"pmd_{kind}", 0.5)
    assert ((found == first) | (found == second)).all()
    others = host.eta.copy()
    others[rows, host.samples.labels] = -1
    found = given(host, f"pmd_{kind}_true", 0.5)
    assert ((found == host.samples.labels) | (found == others.argmax(axis=1))).all()


def test_a_rate_below_the_models_own_errors_is_refused_and_the_one_named_works():
    host = world(sharpness=1.0)
    with pytest.raises(BadOption, match=r"own answers, .*% of which are wrong.* take pmd_2_true$") as refused:
        given(host, "pmd_2", 0.1)
    least = float(str(refused.value).partition("raise it to ")[2].partition(",")[0])
    assert least == pytest.approx((host.eta.argmax(axis=1) != host.samples.labels).mean(), abs=0.001)
    assert real(host, "pmd_2", least) == pytest.approx(least, abs=1 / N)
    assert real(host, "pmd_2_true", 0.1) == pytest.approx(0.1, abs=1 / N)
    with pytest.raises(BadOption, match=r"pmd_2_true reaches 50\.0% at most here; lower convention_rate to 0\.5$"):
        given(host, "pmd_2_true", 0.6, np.arange(N) % 2 == 0)


def test_rows_that_are_not_free_keep_their_label():
    host, free = world(), np.arange(N) % 3 > 0
    for name in ("pmd_1", "pmd_3_true", "part_dependent"):
        found = given(host, name, 0.3, free)
        assert (found[~free] == host.samples.labels[~free]).all()
        assert (found != host.samples.labels).mean() == pytest.approx(0.3, abs=0.02)


def test_flip_rates_are_a_normal_cut_off_at_the_ends_and_grow_with_the_mean():
    host = world()
    low, high = flip_rates(host, 0.1), flip_rates(host, 0.35)
    assert ((low >= 0) & (high <= 1) & (low < high)).all()
    assert high.mean() == pytest.approx(0.35, abs=0.005) and high.std() == pytest.approx(0.1, abs=0.005)
    assert flip_rates(host, 0.0).mean() == pytest.approx(0.1 * np.sqrt(2 / np.pi), abs=0.003)  # half a normal


def test_part_dependent_targets_follow_the_random_map_of_the_normalised_pixels():
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (N, 1, 1, 3)).astype(np.uint8)
    host = world(images=images)
    rows, targets = CONVENTIONS["part_dependent"].apply(host, 0.5, FREE)
    pixels = images.reshape(N, 3).astype(float)
    x = ((pixels - pixels.mean(axis=0)) / pixels.std(axis=0))[rows]
    labels = host.samples.labels[rows]
    assert (targets != labels).all()
    expected = np.empty((len(rows), C))
    for label in range(C):
        weights = generator(0, "part_dependent", f"class {label}").standard_normal((3, C))
        scores = x[labels == label] @ weights
        scores[:, label] = -np.inf
        expected[labels == label] = softmax(scores, axis=1)
    drawn = np.eye(C)[targets]
    assert np.abs(drawn.mean(axis=0) - expected.mean(axis=0)).max() < 0.02
    sure = expected.max(axis=1) > 0.9
    assert sure.sum() > 100 and (targets[sure] == expected[sure].argmax(axis=1)).mean() > 0.9


def test_images_all_alike_leave_the_targets_uniform():
    host = world()
    rows, targets = CONVENTIONS["part_dependent"].apply(host, 0.6, FREE)
    for label in range(C):
        counts = np.bincount(targets[host.samples.labels[rows] == label], minlength=C)
        assert counts[label] == 0 and counts.max() / counts.sum() == pytest.approx(0.25, abs=0.04)
