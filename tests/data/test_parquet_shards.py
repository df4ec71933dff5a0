import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import picture, png, write_parquet, write_shard

from anomaly_mlflow.data import shards
from anomaly_mlflow.data.sources import digest, load
from anomaly_mlflow.errors import BadData

PETS = {"label": {"names": ["cat", "dog", "owl"], "_type": "ClassLabel"}}


def three_shards(folder, **last):
    for number in range(3):
        seeds = np.arange(10 * number, 10 * number + 10)
        columns = {"label": seeds % 3} | (last if number == 2 else {})
        write_shard(folder / f"train-{number:05}-of-00003.parquet", seeds, PETS, **columns)
    return folder


def test_shards_are_one_set_in_the_order_of_their_names(tmp_path):
    folder = three_shards(tmp_path / "pets" / "data")
    samples = load(f"parquet:{folder}")
    assert np.array_equal(samples.images, [picture(seed) for seed in range(30)])
    assert np.array_equal(samples.sample_id, np.arange(30)) and np.array_equal(samples.labels, np.arange(30) % 3)
    assert samples.name == "pets" and samples.classes == ("cat", "dog", "owl")


def test_positions_count_on_over_shards_when_a_filter_leaves_rows_out(tmp_path):
    samples = load(f"parquet:{three_shards(tmp_path / 'pets')}?label=2")
    assert samples.sample_id.tolist() == list(range(2, 30, 3))
    assert np.array_equal(samples.images[-1], picture(29))


def test_rows_come_back_from_row_groups_larger_than_what_is_held_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "BATCH", 4)
    samples = load(f"parquet:{three_shards(tmp_path / 'pets')}?label=1")
    assert np.array_equal(samples.images, [picture(seed) for seed in range(1, 30, 3)])


def test_a_pattern_names_the_shards_of_one_split(tmp_path):
    folder = three_shards(tmp_path / "pets" / "data")
    write_shard(folder / "test-00000-of-00001.parquet", range(90, 93), PETS, label=[0, 1, 2])
    assert len(load(f"parquet:{folder}/train-*.parquet")) == 30
    assert load(f"parquet:{folder}/test-*.parquet").name == "pets"
    assert load(f"parquet:{folder}/test-00000-of-00001.parquet").name == "pets"
    with pytest.raises(BadData, match=r"holds test and train; write parquet:.*test\*.parquet"):
        load(f"parquet:{folder}")


@pytest.mark.parametrize("place", ["", "/valid-*.parquet"])
def test_a_folder_or_a_pattern_without_a_file_is_refused(tmp_path, place):
    with pytest.raises(BadData, match=r"holds no \*.parquet|no file matches"):
        load(f"parquet:{tmp_path}{place}")


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ({"extra": np.arange(10)}, "train-00002-of-00003.parquet has a column 'extra' unlike train-00000"),
        ({"label": ["a"] * 10}, "incompatible types|merge"),
        ({"label": np.full(10, 3)}, "label 3 is out of range at index 20: 'pets' has 3 classes"),
    ],
)
def test_a_shard_that_does_not_fit_the_first_is_refused_in_one_line(tmp_path, last, message):
    with pytest.raises(BadData, match=message) as caught:
        load(f"parquet:{three_shards(tmp_path / 'pets', **last)}")
    assert "\n" not in str(caught.value)


def test_a_shard_that_lacks_a_column_is_named(tmp_path):
    for number, more in enumerate([{"kind": ["x"] * 10}, {}]):
        write_parquet(tmp_path / f"{number}.parquet", [png(0)] * 10, [0, 1] * 5, **more)
    with pytest.raises(BadData, match=r"1.parquet lacks column 'kind' of 0.parquet"):
        load(f"parquet:{tmp_path}")


def test_shards_with_other_class_names_are_refused(tmp_path):
    folder = three_shards(tmp_path / "pets")
    write_shard(folder / "train-00003.parquet", range(10), {"label": {"names": ["dog", "cat", "owl"]}}, label=[0] * 10)
    with pytest.raises(BadData, match="declares other features"):
        load(f"parquet:{folder}")


@pytest.mark.parametrize("features", [{"label": {"names": [1, 2]}}, {"label": {"names": ["a", "a"]}}, {"label": 3}, []])
def test_metadata_that_makes_no_sense_is_left_alone(tmp_path, features):
    write_shard(tmp_path / "a.parquet", range(4), features, label=[0, 1, 0, 1])
    assert load(f"parquet:{tmp_path / 'a.parquet'}").classes == ("0", "1")
    table = pq.read_table(tmp_path / "a.parquet").replace_schema_metadata({"huggingface": "[" * 100_000})
    pq.write_table(table, tmp_path / "b.parquet")
    assert load(f"parquet:{tmp_path / 'b.parquet'}").classes == ("0", "1")


def test_a_repeated_index_is_found_over_shards(tmp_path):
    for number in range(2):
        write_parquet(tmp_path / f"{number}.parquet", [png(0)] * 3, [0, 1, 0], index=np.arange(3) + 2 * number)
    with pytest.raises(BadData, match="'index' must be unique, and 2"):
        load(f"parquet:{tmp_path}")


def test_columns_that_are_called_otherwise_are_named_in_the_spec(tmp_path):
    labels = {"fine": np.arange(20) % 10, "coarse": np.arange(20) % 2}
    write_shard(tmp_path / "a.parquet", range(20), {"fine": {"names": list("abcdefghij")}}, label=[0] * 20, **labels)
    spec = f"parquet:{tmp_path / 'a.parquet'}"
    assert load(f"{spec}#label=fine").classes == tuple("abcdefghij")
    assert np.array_equal(load(f"{spec}#image=image,label=coarse?coarse=1").sample_id, np.arange(1, 20, 2))
    assert len({digest(spec), digest(f"{spec}#label=fine"), digest(f"{spec}#label=coarse")}) == 3
    with pytest.raises(BadData, match=r"has no column 'img'; it has: image, label, fine, coarse$"):
        load(f"{spec}#image=img")


def test_the_digest_follows_every_shard(tmp_path):
    folder = three_shards(tmp_path / "pets")
    before = digest(f"parquet:{folder}")
    write_shard(folder / "train-00002-of-00003.parquet", range(30, 40), PETS, label=[0] * 10)
    assert digest(f"parquet:{folder}") != before


@pytest.mark.parametrize("place", ["", "/train-*.parquet", "/train-00000-of-00003.parquet"])
def test_a_set_that_lacks_a_shard_is_refused(tmp_path, place):
    three_shards(tmp_path)
    (tmp_path / "train-00001-of-00003.parquet").unlink()
    with pytest.raises(BadData, match=r"is one of 3 shards and [12] of them are here or named; name all"):
        load(f"parquet:{tmp_path}{place}")


def test_two_stars_mean_one(tmp_path):
    assert len(load(f"parquet:{three_shards(tmp_path)}/**.parquet")) == 30


def test_a_class_name_that_is_no_text_is_refused(tmp_path):
    write_shard(tmp_path / "a.parquet", range(4), {"label": {"names": ["a", "\ud800"]}}, label=[0, 1, 0, 1])
    with pytest.raises(BadData, match=r"a class name of column 'label' is no valid text"):
        load(f"parquet:{tmp_path / 'a.parquet'}")


def test_large_cells_are_held_a_few_at_a_time_and_too_large_ones_count_as_broken(tmp_path, monkeypatch):
    cells = pa.array([bytes(1 << 20)] * 200 + [png(0)] * 40, pa.binary())
    pq.write_table(pa.table({"image": cells, "label": [0, 1] * 120}), tmp_path / "a.parquet", compression="zstd")
    monkeypatch.setattr(shards, "MOST_BYTES", 1 << 19)
    usual, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(pool)
    try:
        assert len(load(f"parquet:{tmp_path / 'a.parquet'}")) == 40
    finally:
        pa.set_memory_pool(usual)
    assert pool.max_memory() < 100 << 20
