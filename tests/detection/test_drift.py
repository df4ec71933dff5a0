"""The drift tests: their law (5 % of clean batches, all tests together), their power, and what they cannot see."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.anomalies.graded_corruptions import GRADED, corrupted
from anomaly_mlflow.data.sources import load
from anomaly_mlflow.detection.drift import CATEGORIES, Drift, drift, holm
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.loop import fit

NOMINAL = 0.05
BATCH, BATCHES = 500, 100


def outputs(rng, n, shift=0.0, width=64, classes=5):
    """What a model might say: embeddings of a few leading directions and many small ones, and a linear head."""
    embeddings = rng.normal(size=(n, width)) / np.sqrt(1 + np.arange(width)) + shift
    return embeddings.astype(np.float32), embeddings[:, :classes].astype(np.float32) * 3


def made(*triggered, active=("score", "confidence", "entropy", "embedding")):
    """A result in which these categories are triggered."""
    tests = pd.DataFrame({"category": active, "triggered": [name in triggered for name in active]})
    return Drift(tests, pd.DataFrame(), pd.DataFrame())


def alarms(results):
    return np.mean([one.alarm for one in results])


def highest(nominal, n):
    return nominal + 2 * np.sqrt(nominal * (1 - nominal) / n)


@pytest.fixture(scope="module")
def digits():
    """A small net trained on 600 digits, and what it says of the 1,197 others, as they are and with noise of .1."""
    whole = load("digits")
    order = np.random.default_rng(0).permutation(len(whole))
    config = configure("convnet", whole.image_shape, "cpu", 600, epochs=10)
    model, _ = fit(whole.take(np.sort(order[:600])), config, seed=0, device="cpu")
    rest = whole.take(np.sort(order[600:]))
    noisy = corrupted(GRADED["gaussian_noise"], rest.images, 0.1, 0)
    return SimpleNamespace(model=model, rest=rest, clean=infer(model, rest.images), noisy=infer(model, noisy))


def order_of(digits, number):
    return np.random.default_rng(number).permutation(len(digits.rest))


def of_digits(digits, number, noisy):
    """Other images for the reference and the batch each time: 500 of those never trained on, and the 697 others."""
    order, side = order_of(digits, number), digits.noisy if noisy else digits.clean
    return tuple(part[order[BATCH:]] for part in digits.clean), tuple(part[order[:BATCH]] for part in side)


def test_clean_batches_of_500_digits_raise_the_alarm_no_more_often_than_nominal(digits):
    found = alarms([drift(*of_digits(digits, number, noisy=False), seed=number) for number in range(BATCHES)])
    assert found <= highest(NOMINAL, BATCHES)


def test_noise_of_a_tenth_raises_the_alarm_in_at_least_95_of_100_batches(digits):
    found = [drift(*of_digits(digits, number, noisy=True), seed=number) for number in range(BATCHES)]
    assert alarms(found) >= 0.95
    assert np.mean([one.severity for one in found]) > 0.5


def test_a_small_reference_of_wide_embeddings_does_not_make_clean_batches_an_alarm():
    rng = np.random.default_rng(0)  # axes fitted to 80 reference images alone would fit no new one
    sides = [[rng.normal(size=(n, 128)).astype(np.float32) for n in (80, 200)] for _ in range(40)]
    found = alarms([drift(*((one, one[:, :5]) for one in pair), seed=seed) for seed, pair in enumerate(sides)])
    assert found <= highest(NOMINAL, 40)


@pytest.mark.parametrize(("m", "n"), [(400, 20), (20, 400)])
def test_a_shift_is_seen_whichever_side_is_the_small_one(m, n):
    rng = np.random.default_rng(0)
    found = drift(outputs(rng, m), outputs(rng, n, shift=2.0))  # of all logits alike: softmax does not see it
    assert found.triggered == ["score", "embedding"] and found.level == "high"


def test_images_that_a_model_was_trained_on_look_like_drift():
    # why the reference must be held out: what was learnt by heart lies further from the boundary
    rng = np.random.default_rng(0)
    seen, new = outputs(rng, 500), outputs(rng, 500)
    found = drift((seen[0], 2 * seen[1]), new)
    assert found.alarm and "confidence" in found.triggered and "embedding" not in found.triggered


def test_other_labels_for_the_same_images_change_nothing_exactly(digits):
    """The blind spot: P(Y|X) turned round, P(X) as it was. Accuracy falls to nothing, and the monitor says the same."""
    reference, order = of_digits(digits, 0, noisy=False)[0], order_of(digits, 0)
    before = digits.rest.take(np.sort(order[:BATCH]))
    after = replace(before, labels=(before.labels + 5) % 10)
    results, accuracies = [], []
    for samples in (before, after):
        said = infer(digits.model, samples.images)
        accuracies.append((said[1].argmax(axis=1) == samples.labels).mean())
        results.append(drift(reference, said))
    assert accuracies[0] > 0.8 and accuracies[1] < 0.1
    assert not results[0].alarm
    for part in ("tests", "reference", "batch"):
        pd.testing.assert_frame_equal(*(getattr(one, part) for one in results), check_exact=True)


def test_the_tables_have_a_row_for_each_quantity_and_statistic_and_follow_the_rules():
    rng = np.random.default_rng(0)
    reference, batch = outputs(rng, 300), outputs(rng, 200)
    found = drift(reference, batch)
    assert len(found.tests) == 2 * (len(CATEGORIES) + 4)
    assert set(found.tests["statistic"]) == {"psi", "ks"} and found.tests["p"].between(0, 1).all()
    assert (found.tests["adjusted_p"] >= found.tests["p"]).all()
    assert len(found.reference) == 300 and len(found.batch) == 200
    # higher = more suspicious: a flat prediction has more of all three than a sharp one
    flat, sharp = (drift((reference[0], k * reference[1]), batch).reference for k in (0.01, 1))
    assert (flat[list(CATEGORIES)].mean() > sharp[list(CATEGORIES)].mean()).all()


def test_the_order_of_the_images_changes_nothing():
    rng = np.random.default_rng(0)
    reference, batch = outputs(rng, 200), outputs(rng, 100, shift=0.1)
    turned = tuple(tuple(part[::-1].copy() for part in side) for side in (reference, batch))
    one, other = drift(reference, batch).tests, drift(*turned).tests
    pd.testing.assert_frame_equal(one, other)


def test_holms_adjustment_is_that_by_hand():
    # 4 * .01, then 3 * .02 = .06, 2 * .03 = .06, 1 * .5; in the order they came
    assert holm(np.array([0.5, 0.02, 0.03, 0.01])) == pytest.approx([0.5, 0.06, 0.06, 0.04])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("triggered", "severity", "level"),
    [
        ((), 0, "low"),
        (("score",), 0.25, "low"),
        (("score", "embedding"), 0.5, "high"),
        (("score", "confidence", "entropy"), 0.75, "critical"),
    ],
)
def test_severity_is_the_share_of_triggered_categories(triggered, severity, level):
    found = made(*triggered)
    assert (found.severity, found.level, found.alarm) == (severity, level, bool(triggered))


def test_a_category_without_a_test_has_no_weight():
    found = made("score", active=("score", "confidence", "entropy"))
    assert found.severity == pytest.approx(1 / 3) and found.level == "medium"


def test_what_is_the_same_for_every_image_is_not_compared():
    rng = np.random.default_rng(0)
    flat = [(np.ones((n, 3), np.float32), rng.normal(size=(n, 4)).astype(np.float32)) for n in (30, 20)]
    assert set(drift(*flat).tests["category"]) == {"score", "confidence", "entropy"}
    dead = [(np.ones((n, 3), np.float32), np.ones((n, 4), np.float32)) for n in (30, 20)]
    with pytest.raises(BadData, match="the same output for every image"):
        drift(*dead)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda z, logits: (z, np.full_like(logits, np.nan)), "of the batch is not finite"),
        (lambda z, logits: (z[:0], logits[:0]), "the batch has 0 embeddings and 0 logits"),
        (lambda z, logits: (z[:5], logits), "the batch has 5 embeddings and 20 logits"),
        (lambda z, logits: (z, logits[:, :3]), "the logits of reference and batch are of shapes"),
    ],
)
def test_outputs_that_cannot_be_compared_are_refused_in_one_line(change, said):
    rng = np.random.default_rng(0)
    with pytest.raises(BadData, match=said):
        drift(outputs(rng, 30), change(*outputs(rng, 20)))
