import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import encoded, picture, png, two_classes, write_parquet
from PIL import Image

from anomaly_mlflow.data import decode
from anomaly_mlflow.data.sources import digest, load
from anomaly_mlflow.errors import AnomalyError, BadData, BadOption, UnknownName


def test_images_labels_and_ids_come_back_as_written(tmp_path):
    index = np.arange(40)[::-1] * 3
    samples = load(two_classes(tmp_path / "some set.parquet", index=index))
    assert np.array_equal(samples.images, [picture(seed) for seed in range(40)])
    assert np.array_equal(samples.labels, np.arange(40) % 2) and np.array_equal(samples.sample_id, index)
    assert samples.name == "some_set" and samples.classes == ("0", "1")


def test_ids_are_positions_in_the_whole_file_where_there_is_no_index_column(tmp_path):
    spec = two_classes(tmp_path / "a.parquet", kind=["x", "x", "y", "y"] * 10)
    samples = load(spec + "?kind=y&label=1")
    assert np.array_equal(samples.sample_id, np.arange(3, 40, 4))
    assert np.array_equal(samples.images[1], picture(7))


def test_a_file_without_labels_is_read_where_that_is_said(tmp_path):
    two_classes(tmp_path / "a.parquet")
    bare = tmp_path / "bare.parquet"
    pq.write_table(pq.read_table(tmp_path / "a.parquet").drop(["label"]), bare)
    with pytest.raises(BadData, match="has no column 'label'"):
        load(f"parquet:{bare}")
    samples = load(f"parquet:{bare}#label=none")
    assert np.array_equal(samples.images[3], picture(3)) and not samples.labels.any() and len(samples) == 40


def test_a_dictionary_column_filters_like_its_values(tmp_path):
    kinds = pa.array(["x", None] * 20).dictionary_encode()
    assert len(load(two_classes(tmp_path / "a.parquet", kind=kinds) + "?kind=x")) == 20


def test_only_rows_that_are_kept_are_decoded(tmp_path, monkeypatch):
    seen, open_ = [], decode._open
    monkeypatch.setattr(decode, "_open", lambda raw: seen.append(raw) or open_(raw))
    samples = load(two_classes(tmp_path / "a.parquet"), subset=20, seed=1)
    assert len(set(seen)) == 20 and np.bincount(samples.labels).tolist() == [10, 10]


@pytest.mark.parametrize("stem", ["train", "Test", "images"])
def test_a_file_that_only_names_its_role_takes_its_folders_name(tmp_path, stem):
    assert load(two_classes(tmp_path / "my set" / f"{stem}.parquet")).name == "my_set"


def test_a_known_data_set_has_its_class_names_where_their_number_fits(tmp_path):
    images, labels = [png(seed) for seed in range(100)], np.arange(100) % 10
    assert load(write_parquet(tmp_path / "cifar-10" / "train.parquet", images, labels)).classes[9] == "truck"
    assert load(write_parquet(tmp_path / "fashion_mnist.parquet", images, labels)).classes[0] == "T-shirt/top"
    assert load(write_parquet(tmp_path / "mnist.parquet", images, labels % 3)).classes == ("0", "1", "2")


@pytest.mark.parametrize(("bad", "name"), [(-1, "a"), (10, "cifar10"), (10**9, "a")])
def test_a_label_out_of_range_is_refused_with_the_first_index(tmp_path, bad, name):
    labels = np.arange(40) % 10
    labels[[7, 9]] = bad
    spec = write_parquet(tmp_path / f"{name}.parquet", [png(0)] * 40, labels, index=np.arange(40) + 100)
    with pytest.raises(BadData, match=rf"label {bad} is out of range at index 107"):
        load(spec)


def test_a_bad_label_that_the_filter_leaves_out_does_no_harm(tmp_path):
    labels = np.where(np.arange(40) < 4, -1, np.arange(40) % 2)
    spec = write_parquet(tmp_path / "a.parquet", [png(0)] * 40, labels, labelled=labels >= 0)
    assert len(load(spec + "?labelled=true")) == 36


def test_equal_images_and_one_source_photograph_share_a_group(tmp_path):
    images = [png(seed) for seed in range(40)]
    images[5] = encoded(picture(2), compress_level=0)  # other bytes, equal pixels
    photographs = [None if row != 5 and row != 9 else "p" for row in range(40)]
    groups = load(write_parquet(tmp_path / "a.parquet", images, np.arange(40) % 2, group=photographs)).groups
    assert groups[2] == groups[5] == groups[9] == 2
    assert len(np.unique(groups)) == 38


def test_the_commonest_jpeg_tables_are_read(tmp_path):
    often = encoded(picture(0), "JPEG", quality=60, subsampling=1)
    images = [often] * 25 + [encoded(picture(1), "JPEG", quality=90)] * 10 + [png(3)] * 5
    encoding = load(write_parquet(tmp_path / "a.parquet", images, [0, 1] * 20)).encoding
    with Image.open(io.BytesIO(often)) as image:
        assert encoding.jpeg_tables == tuple(tuple(image.quantization[number]) for number in (0, 1))
    assert encoding.jpeg_subsampling == 1 and encoding.levels is None


def test_lossless_files_have_no_jpeg_tables(tmp_path):
    assert load(two_classes(tmp_path / "a.parquet")).encoding.jpeg_tables is None


def test_odd_sizes_become_the_commonest_and_grey_among_colour_becomes_colour(tmp_path):
    images = [png(0, height=6, width=9)] * 30 + [png(1, height=20, width=20)] * 8 + [png(2, channels=1)] * 2
    assert load(write_parquet(tmp_path / "a.parquet", images, [0, 1] * 20)).images.shape == (40, 6, 9, 3)


def test_grey_files_have_one_channel(tmp_path):
    spec = write_parquet(tmp_path / "a.parquet", [png(0, channels=1)] * 40, [0, 1] * 20)
    assert load(spec).images.shape == (40, 8, 8, 1)


def test_images_that_do_not_decode_are_skipped_and_named_or_refused(tmp_path, caplog):
    images = [png(seed) for seed in range(40)]
    images[3], images[8], images[11] = b"no image", images[8][:60], None
    spec = write_parquet(tmp_path / "a.parquet", images, [0, 1] * 20)
    samples = load(spec)
    assert np.array_equal(samples.sample_id, np.delete(np.arange(40), [3, 8, 11]))
    assert np.array_equal(samples.images[3], picture(4))
    assert "3 of 40 images of 'a' do not decode: index 3 (" in caplog.text and caplog.text.count("\n") == 1
    with pytest.raises(BadData, match="index 8"):
        load(spec, corrupt="refuse")
    with pytest.raises(BadOption, match="skip or refuse"):
        load(spec, corrupt="maybe")


def test_a_decompression_bomb_counts_as_corrupt(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    images = [png(seed) for seed in range(38)] + [png(1, height=11, width=11), png(2, height=30, width=30)]
    assert len(load(write_parquet(tmp_path / "a.parquet", images, [0, 1] * 20))) == 38


def broken(path, spec):
    content = (path / "a.parquet").read_bytes()
    (path / "text.parquet").write_text("hello")
    (path / "short.parquet").write_bytes(content[: len(content) // 2])
    (path / "rotten.parquet").write_bytes(content[:8] + bytes(2000) + content[2008:])
    pq.write_table(pa.table({"label": [1]}), path / "no_image.parquet")
    pq.write_table(pa.table({"image": [1], "label": [1]}), path / "number.parquet")
    for name, labels, more in [
        ("text_label", ["a"], {}),
        ("gap", pa.array([None], pa.int64()), {}),
        ("none", pa.array([], pa.int64()), {}),
    ]:
        write_parquet(path / f"{name}.parquet", [png(0)][: len(labels)], labels, **more)
    write_parquet(path / "twice.parquet", [png(0)] * 3, [0, 1, 0], index=[4, 5, 4])
    (path / "no_text.parquet").write_bytes(content.replace(b"label", b"labe\xff"))
    write_parquet(path / "tiny.parquet", [png(0, width=3)] * 3, [0, 1, 0])
    write_parquet(path / "garbage.parquet", [b"x"] * 3, [0, 1, 0])
    write_parquet(path / "list.parquet", [png(0)] * 3, [0, 1, 0], tags=[[1], [2], [3]])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "does not exist"),
        ("text", "no readable Parquet file"),
        ("short", "no readable Parquet file"),
        ("rotten", "rotten|decodes"),
        ("no_image", "no column 'image'; it has: label"),
        ("number", "encoded bytes"),
        ("text_label", "whole numbers"),
        ("gap", "1 empty cells"),
        ("none", "has no rows"),
        ("no_text", "no readable Parquet file"),
        ("tiny", "images of 3x8 pixels are too small; image_size=4 or more"),
        ("twice", "'index' must be unique, and 4"),
        ("garbage", "none of the 3 images decodes"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, name, message):
    broken(tmp_path, two_classes(tmp_path / "a.parquet"))
    with pytest.raises(BadData, match=message) as caught:
        load(f"parquet:{tmp_path}/{name}.parquet")
    assert "\n" not in str(caught.value)


def test_a_filter_that_cannot_be_used_is_refused_in_one_line(tmp_path):
    broken(tmp_path, two_classes(tmp_path / "a.parquet"))
    with pytest.raises(UnknownName, match="unknown column 'kind'; known: image, label"):
        load(f"parquet:{tmp_path}/a.parquet?kind=x")
    with pytest.raises(BadData, match="no row is left with label=7; its values are: 0, 1"):
        load(f"parquet:{tmp_path}/a.parquet?label=7")
    with pytest.raises(AnomalyError):
        load(f"parquet:{tmp_path}/list.parquet?tags=1")


def test_the_digest_follows_content_and_filter_and_not_the_place(tmp_path):
    spec, copy = two_classes(tmp_path / "a.parquet"), two_classes(tmp_path / "b.parquet")
    assert digest(spec) == digest(copy) and len(digest(spec)) == 64
    other = two_classes(tmp_path / "c.parquet", per_class=21)
    assert len({digest(spec), digest(other), digest(spec + "?label=0"), digest(spec + "?label=1")}) == 4
