import numpy as np
import pytest
from image_files import encoded, picture, png, two_classes, write_folder, write_parquet

from anomaly_mlflow.data.groups import join_groups
from anomaly_mlflow.data.sources import load, load_split
from anomaly_mlflow.data.split import at_most, held_out, stratified
from anomaly_mlflow.errors import BadData, BadOption


def test_a_tenth_of_each_class_is_held_out_and_the_rest_trains():
    train, test = load_split("digits", seed=3)
    assert len(train) + len(test) == 1797 and not np.intersect1d(train.sample_id, test.sample_id).size
    whole = np.bincount(load("digits").labels)
    assert np.abs(np.bincount(test.labels) - whole / 10).max() <= 0.5


def test_the_held_out_tenth_does_not_depend_on_the_subset():
    _, whole = load_split("digits", seed=1)
    train, part = load_split("digits", subset=500, seed=1)
    assert np.array_equal(part.sample_id, whole.sample_id) and len(train) == 500
    assert not np.intersect1d(train.sample_id, part.sample_id).size


def test_a_split_is_fixed_by_its_seed():
    first, again, other = (load_split("digits", subset=300, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first[0].sample_id, again[0].sample_id)
    assert not np.array_equal(first[0].sample_id, other[0].sample_id)
    assert not np.array_equal(first[1].sample_id, other[1].sample_id)


@pytest.mark.parametrize("size", [50, 101, 333, 600])
def test_a_subset_has_the_classes_in_proportion(size):
    labels = np.repeat([0, 1, 2], [300, 200, 100])
    rows = stratified(labels, size, seed=0)
    assert len(np.unique(rows)) == size
    assert np.abs(np.bincount(labels[rows]) - size * np.array([3, 2, 1]) / 6).max() < 1


def test_what_is_watched_is_all_of_few_rows_a_stratified_part_of_many_and_ten_rows_a_class_of_many_classes():
    few, many, classes = np.arange(300) % 3, np.arange(5000) % 5, np.arange(9000) % 300
    assert np.array_equal(at_most(few, 2000, seed=0), np.arange(300))
    assert np.bincount(many[at_most(many, 2000, seed=0)]).tolist() == [400] * 5
    assert np.bincount(classes[at_most(classes, 2000, seed=0)]).tolist() == [10] * 300


@pytest.mark.parametrize("subset", [0, -5, 99, 1798])
def test_a_subset_too_large_or_too_small_is_refused(subset):
    with pytest.raises(BadOption, match=f"subset={subset}"):
        load("digits", subset=subset)


def test_groups_are_never_torn_apart():
    labels, groups = np.arange(400) % 4, np.arange(400) // 5
    held = held_out(labels, groups, seed=0)
    assert held.sum() == 40
    assert all(len(np.unique(held[groups == group])) == 1 for group in np.unique(groups))


def test_one_group_that_holds_everything_cannot_be_split():
    with pytest.raises(BadData, match="name a test set"):
        held_out(np.zeros(50, dtype=np.int64), np.zeros(50, dtype=np.int64), seed=0)


def test_duplicates_never_stand_on_both_sides(tmp_path):
    images = [png(seed // 2) for seed in range(200)]
    train, test = load_split(write_parquet(tmp_path / "a.parquet", images, np.arange(200) // 100))
    assert not np.intersect1d(train.groups, test.groups).size
    assert len(train) == 180 and len(test) == 20


def test_a_training_image_with_the_pixels_of_a_test_image_is_left_out(tmp_path, caplog):
    images = [encoded(picture(seed // 2), compress_level=9 * (seed % 2)) for seed in range(200)]
    train, test = load_split(write_parquet(tmp_path / "a.parquet", images, np.arange(200) // 100))
    assert not np.intersect1d(train.groups, test.groups).size and len(train) + len(test) < 200
    assert "training images of 'a' also stand in the test set" in caplog.text


def test_a_test_set_that_is_the_training_set_is_refused(tmp_path):
    spec = two_classes(tmp_path / "a.parquet")
    with pytest.raises(BadData, match="every training image"):
        load_split(spec, test=spec)


def test_a_test_set_of_its_own_leaves_the_training_set_whole(tmp_path):
    train = two_classes(tmp_path / "a.parquet")
    images = [png(seed + 1000, height=16, channels=1) for seed in range(4)]
    trained, tested = load_split(train, test=write_parquet(tmp_path / "b.parquet", images, [0, 0, 0, 0]))
    assert len(trained) == 40 and tested.images.shape == (4, 8, 8, 3) and tested.classes == ("0", "1")
    with pytest.raises(BadData, match="must agree"):
        load_split(train, test=write_parquet(tmp_path / "c.parquet", images, [0, 1, 2, 3]))


def test_a_class_that_is_too_small_is_named_with_its_count(tmp_path):
    spec = write_folder(tmp_path / "pets", {"cat": 30, "x": 2})
    with pytest.raises(BadData, match="class 'x' has 2 samples; at least 10 are needed"):
        load_split(spec)
    (tmp_path / "pets" / "empty").mkdir()
    with pytest.raises(BadData, match="class 'empty' has 0 samples"):
        load_split(spec)


def test_groups_join_through_a_chain_of_links():
    ids = np.array([50, 10, 20, 30, 40])
    joined = join_groups(ids, np.array(["a", "a", "b", "c", "d"]), np.array([1, 2, 2, 3, 4]))
    assert joined.tolist() == [10, 10, 10, 30, 40]
