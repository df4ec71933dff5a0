import numpy as np
import pandas as pd
import pytest
from image_files import png, write_parquet

from anomaly_mlflow.anomalies.corruptions import brightness, stripes
from anomaly_mlflow.anomalies.foreign_class import foreign_class
from anomaly_mlflow.anomalies.glitches import GLITCHES, inject_glitch
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load
from anomaly_mlflow.errors import AnomalyError

N, RATIO = 400, 0.1
APPENDED = ("anomalies_one_label", "anomalies_random_labels", "mixed")
EVERY = pytest.mark.parametrize("name", GLITCHES)


@pytest.fixture(scope="module")
def digits() -> Samples:
    return load("digits", subset=N)


def glitched(samples, name, seed=1, ratio=RATIO):
    return inject_glitch(samples, name, ratio=ratio, seed=seed, anomalies="photographs")


def moves(digits, made):
    """How many rows went from which label to which."""
    true = made.truth["true_label"].to_numpy()
    wrong = made.truth["mislabelled"].to_numpy()
    return pd.Series(list(zip(true[wrong], made.samples.labels[wrong], strict=True))).value_counts()


@EVERY
def test_the_truth_says_exactly_which_rows_were_touched(digits, name):
    made = glitched(digits, name)
    truth, samples = made.truth, made.samples
    assert list(truth["sample_id"]) == list(samples.sample_id)
    assert len(np.unique(samples.sample_id)) == len(samples)
    assert np.array_equal(samples.groups[: len(digits)], digits.groups)
    assert not set(samples.groups[len(digits) :]) & set(digits.groups)
    assert not (truth["mislabelled"] & truth["anomaly"]).any()
    assert ((truth["glitch"] != "") == (truth["mislabelled"] | truth["anomaly"])).all()
    old = truth[: len(digits)]
    changed = (samples.images[: len(digits)] != digits.images).any(axis=(1, 2, 3))
    assert np.array_equal(changed, old["anomaly"])
    assert np.array_equal(samples.labels[: len(digits)] != digits.labels, old["mislabelled"])
    assert np.array_equal(old["true_label"], digits.labels)


@EVERY
def test_the_set_itself_stays_as_it_was(digits, name):
    before = digits.images.copy(), digits.labels.copy()
    glitched(digits, name)
    assert np.array_equal(digits.images, before[0]) and np.array_equal(digits.labels, before[1])


@EVERY
def test_rates_are_exact(digits, name):
    truth = glitched(digits, name).truth
    appended = RATIO * N if name in APPENDED else 0
    assert len(truth) == N + appended
    wrong = {"uniform": 40, "mixed": 40}.get(name, 0)
    sizes = np.round(RATIO * np.bincount(digits.labels)).astype(int)
    if name == "one_class":
        assert truth["mislabelled"].sum() in sizes
    elif name == "each_class":
        assert truth["mislabelled"].sum() == sizes.sum()
    else:
        assert truth["mislabelled"].sum() == wrong
    assert truth["anomaly"].sum() == (40 if name in (*APPENDED, "brightness", "stripes") else 0)


@EVERY
def test_the_same_seed_draws_the_same_and_another_draws_other_rows_and_other_labels(digits, name):
    first, again, other = (glitched(digits, name, seed) for seed in (1, 1, 2))
    assert first.truth.equals(again.truth) and np.array_equal(first.samples.images, again.samples.images)
    assert np.array_equal(first.samples.labels, again.samples.labels)
    one, two = first.samples, other.samples
    same = one.labels.shape == two.labels.shape and np.array_equal(one.labels, two.labels)
    assert not (same and np.array_equal(one.images, two.images))


def test_the_wrong_labels_follow_the_seed_and_not_only_the_rows(digits):
    # pitfall of the reference code: the generator is seeded anew in its loop, so every run flips to the same labels
    one, two = (glitched(digits, "uniform", seed, ratio=0.4) for seed in (1, 2))
    both = (one.truth["mislabelled"] & two.truth["mislabelled"]).to_numpy()
    assert 0.5 < (one.samples.labels[both] != two.samples.labels[both]).mean() < 1


def test_uniform_noise_reaches_every_other_class_evenly():
    labels = np.zeros(9000, np.int64)
    samples = Samples(np.zeros((9000, 4, 4, 1), np.uint8), labels, np.arange(9000), tuple("abcd"))
    given = inject_glitch(samples, "uniform", ratio=0.4, seed=0).samples.labels
    counts = np.bincount(given, minlength=4)
    assert counts.sum() - counts[0] == 3600 and np.all(np.abs(counts[1:] - 1200) < 120)


def test_one_class_goes_to_one_other_and_each_class_to_one_of_its_own(digits):
    assert len(moves(digits, glitched(digits, "one_class"))) == 1
    pairs = moves(digits, glitched(digits, "each_class")).index
    assert len(pairs) == 10 and len({source for source, _ in pairs}) == 10


@pytest.mark.parametrize(("name", "labels"), [("anomalies_one_label", 1), ("mixed", 1), ("anomalies_random_labels", 8)])
def test_anomalies_share_one_label_or_bear_many(digits, name, labels):
    made = glitched(digits, name)
    given = made.samples.labels[made.truth["anomaly"]]
    assert len(np.unique(given)) >= labels and (labels > 1 or len(np.unique(given)) == 1)
    assert set(made.truth["true_label"][made.truth["anomaly"]]) == {-1}
    told = made.truth.groupby("anomaly")["source"].agg(set)
    assert told[False] == {""} and told[True] in ({"photographs:china.jpg"}, {"photographs:flower.jpg"})


def test_the_contamination_that_is_known_is_counted_as_the_paper_counts_it(digits):
    told = {name: glitched(digits, name).contamination for name in GLITCHES}
    share = glitched(digits, "one_class").truth["mislabelled"].mean()
    assert told == dict.fromkeys(GLITCHES, RATIO) | {"mixed": 0.2, "one_class": share}


def test_a_larger_ratio_keeps_the_rows_of_a_smaller_one(digits):
    small, large = (set(np.flatnonzero(glitched(digits, "uniform", ratio=r).truth["mislabelled"])) for r in (0.1, 0.3))
    assert small < large


def test_brightness_adds_to_the_value_of_hsv():
    grey = np.array([0, 100, 200], np.uint8).reshape(1, 1, 3, 1)
    assert brightness(grey).ravel() == pytest.approx([127.5, 227.5, 255], abs=0.51)  # 255 * (x / 255 + .5), clipped
    colour = np.array([[100, 50, 0], [0, 0, 0], [255, 51, 0]], np.uint8).reshape(1, 1, 3, 3)
    # value 100 -> 176.5, so each channel by 1.765; black becomes grey .3; a full value stays
    expected = [176.5, 88.25, 0, 76.5, 76.5, 76.5, 255, 51, 0]
    assert brightness(colour).ravel() == pytest.approx(expected, abs=0.51)


def test_stripes_invert_the_outer_quarters_of_the_columns():
    damaged = stripes(np.full((1, 2, 28, 1), 55, np.uint8))[0, 0, :, 0]
    assert damaged.tolist() == [200] * 7 + [55] * 14 + [200] * 7


def test_foreign_images_are_of_one_class_that_has_enough(tmp_path, digits):
    labels = [0] * 5 + [1] * 30 + [2] * 5
    spec = write_parquet(tmp_path / "other.parquet", [png(seed, height=8, width=8) for seed in range(40)], labels)
    images, origin = foreign_class(spec, 20, digits, seed=0)
    assert images.shape == (20, 8, 8, 1) and origin == "other:1"
    assert set(np.unique(images)) <= set(np.unique(digits.images)), "the grey values of the host"
    classes = {foreign_class(spec, 4, digits, seed)[1] for seed in range(12)}
    assert classes == {"other:0", "other:1", "other:2"}, "the class follows the seed"
    assert foreign_class("photographs", 30, digits, 3)[1] in ("photographs:china.jpg", "photographs:flower.jpg")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "unifrom"}, "unknown glitch 'unifrom'; known: anomalies_one_label"),
        ({"ratio": 0.0}, "a glitch ratio of 0 cannot be used; choose one above 0, and at most 0.4"),
        ({"ratio": 0.5}, "a glitch ratio of 0.5 cannot be used"),
        ({"ratio": 0.001}, "hits none of 400 images; raise it"),
        ({"name": "mixed", "anomalies": "photograps"}, "unknown source of anomalies 'photograps'; known: "),
        ({"name": "mixed", "anomalies": "shuffled_patches"}, "unknown source of anomalies 'shuffled_patches'"),
        ({"name": "mixed", "anomalies": "digits"}, "of 40 anomalies from 'digits' stand in 'digits'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(digits, changed, said):
    with pytest.raises(AnomalyError) as caught:
        inject_glitch(digits, **{"name": "uniform", "ratio": RATIO, "seed": 0} | changed)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_source_whose_classes_are_too_small_is_refused(tmp_path, digits):
    spec = write_parquet(tmp_path / "few.parquet", [png(seed) for seed in range(20)], [0, 1] * 10)
    with pytest.raises(AnomalyError, match=r"40 anomalies .* the largest class of .* has 10"):
        inject_glitch(digits, "anomalies_one_label", ratio=0.1, seed=0, anomalies=spec)


def test_equal_anomalies_share_a_group(tmp_path, digits):
    images = [png(seed % 4, height=8, width=8) for seed in range(40)]
    spec = write_parquet(tmp_path / "copies.parquet", images, [0] * 40)
    made = inject_glitch(digits, "anomalies_one_label", ratio=RATIO, seed=0, anomalies=spec).samples
    assert len(np.unique(made.groups[N:])) == 4 and len(np.unique(made.sample_id[N:])) == 40
