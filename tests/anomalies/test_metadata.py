import numpy as np
import pytest

from anomaly_mlflow.anomalies.metadata import conflict_pairs, noisy_codes, training_codes
from anomaly_mlflow.errors import BadOption

LABELS = np.arange(1000) % 10


@pytest.mark.parametrize(("share", "others"), [(1.0, 0), (0.9, 100), (0.7, 300), (0.0, 1000)])
def test_all_but_the_consistent_share_of_the_training_pairs_name_another_class(share, others):
    codes = training_codes(LABELS, 10, share, seed=3)
    assert (codes != LABELS).sum() == others and codes.min() >= 0 and codes.max() <= 9
    assert np.array_equal(codes, training_codes(LABELS, 10, share, seed=3))


def test_fewer_consistent_pairs_keep_those_that_were_inconsistent_already():
    some, more = training_codes(LABELS, 10, 0.9, seed=0), training_codes(LABELS, 10, 0.7, seed=0)
    hit = some != LABELS
    assert np.array_equal(some[hit], more[hit])


def test_noise_hits_so_many_codes_and_names_every_other_class_as_often():
    codes = np.full(60_000, 4)
    found = noisy_codes(codes, 10, 0.3, np.random.default_rng(0))
    counts = np.bincount(found, minlength=10)
    assert abs(counts[4] / 60_000 - 0.7) < 4 * np.sqrt(0.3 * 0.7 / 60_000)
    others = np.delete(counts, 4)
    assert np.abs(others - others.mean()).max() < 4 * np.sqrt(2000)
    assert np.array_equal(codes, np.full(60_000, 4))


def test_no_noise_changes_nothing_and_certain_noise_everything():
    rng = np.random.default_rng(0)
    assert np.array_equal(noisy_codes(LABELS, 10, 0.0, rng), LABELS)
    assert (noisy_codes(LABELS, 10, 1.0, rng) != LABELS).all()


def test_noise_is_drawn_anew_in_each_epoch():
    rng = np.random.default_rng(0)
    assert not np.array_equal(noisy_codes(LABELS, 10, 0.3, rng), noisy_codes(LABELS, 10, 0.3, rng))


def test_every_pair_contradicts_and_none_comes_twice():
    labels = LABELS[:180]
    rows, codes = conflict_pairs(labels, 10, 500, seed=0)
    assert (codes != labels[rows]).all() and codes.min() >= 0 and codes.max() <= 9
    assert len(set(zip(rows.tolist(), codes.tolist(), strict=True))) == 500
    assert set(np.bincount(rows, minlength=180)) == {2, 3}  # every image comes before one comes again


def test_where_there_are_images_enough_none_comes_twice():
    rows, _ = conflict_pairs(LABELS, 10, 500, seed=0)
    assert len(np.unique(rows)) == 500


def test_more_pairs_keep_the_fewer_ones():
    few, many = (np.stack(conflict_pairs(LABELS[:100], 10, number, seed=1)) for number in (70, 450))
    assert np.array_equal(few, many[:, :70])


def test_all_pairs_that_there_are_can_be_asked_for_and_no_more():
    rows, codes = conflict_pairs(LABELS[:20], 10, 180, seed=0)
    assert len(set(zip(rows.tolist(), codes.tolist(), strict=True))) == 180
    with pytest.raises(BadOption, match="pairs=181 is more than the 180 that 20 test images allow"):
        conflict_pairs(LABELS[:20], 10, 181, seed=0)
