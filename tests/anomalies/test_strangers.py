from dataclasses import replace

import numpy as np
import pytest
from image_files import encoded, picture, png, real, write_parquet

from anomaly_mlflow.anomalies.injector import Host
from anomaly_mlflow.anomalies.similarity import Tables
from anomaly_mlflow.anomalies.strangers import out_of_distribution, strangers, strangers_digest
from anomaly_mlflow.data.decode import decode
from anomaly_mlflow.data.encoding import re_encode
from anomaly_mlflow.data.samples import Encoding, Samples
from anomaly_mlflow.data.sources import digest, load
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

EVERY_KIND = pytest.mark.parametrize("kind", ["noise", "photographs", "parquet", "noise|photographs"])


def host(channels=3, height=12, width=16, **encoding):
    images = np.zeros((30, height, width, channels), dtype=np.uint8)
    ids = np.arange(30)
    return Samples(images, ids % 3, ids, ("a", "b", "c"), groups=ids - 5, encoding=Encoding(**encoding))


def spec(kind, tmp_path):
    if kind != "parquet":
        return kind
    return write_parquet(tmp_path / "s.parquet", [png(seed, height=20) for seed in range(30)], [0] * 30)


def jpeg_host(channels=3):
    pictures = [encoded(picture(seed, 12, 16, channels), "JPEG", quality=40, subsampling=1) for seed in range(30)]
    found = decode(lambda: pictures)
    return replace(host(channels), images=found.images, encoding=found.encoding)


@EVERY_KIND
@pytest.mark.parametrize("channels", [1, 3])
def test_strangers_take_the_hosts_shape_and_no_group_of_its_own(tmp_path, kind, channels):
    like = host(channels)
    found = strangers(spec(kind, tmp_path), np.arange(25), like, seed=1)
    assert found.images.shape == (25, 12, 16, channels) and found.images.dtype == np.uint8
    assert found.groups.max() < like.groups.min() and len(found.source) == 25
    assert len(np.unique(found.images.reshape(25, -1), axis=0)) == 25


@EVERY_KIND
def test_strangers_follow_their_seed(tmp_path, kind):
    first, again, other = (strangers(spec(kind, tmp_path), np.arange(20), host(), seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images) and first.source == again.source
    assert not np.array_equal(first.images, other.images)


@EVERY_KIND
def test_strangers_have_the_grey_values_of_the_host(tmp_path, kind):
    digits = load("digits")
    found = strangers(spec(kind, tmp_path), np.arange(20), digits, seed=0)
    assert set(np.unique(found.images)) <= set(np.unique(digits.images))


@EVERY_KIND
@pytest.mark.parametrize("channels", [1, 3])
def test_strangers_have_been_through_the_jpeg_compression_of_the_host(tmp_path, kind, channels):
    like = jpeg_host(channels)
    assert like.encoding.jpeg_tables
    found = strangers(spec(kind, tmp_path), np.arange(20), like, seed=0).images
    again = re_encode(found, like.encoding).astype(int)
    lossless = strangers(spec(kind, tmp_path), np.arange(20), host(channels), seed=0).images
    lossy = re_encode(lossless, like.encoding).astype(int)
    assert np.abs(again - found).mean() < 0.5 * np.abs(lossy - lossless).mean()


def test_re_encoding_writes_the_hosts_own_tables():
    like = jpeg_host()
    images = np.stack([picture(seed, 12, 16) for seed in range(30)])
    assert np.array_equal(re_encode(images, like.encoding), like.images)


def test_groups_follow_the_source_photograph(tmp_path):
    found = strangers("photographs", np.arange(40), host(), seed=0)
    names = np.array([line.split("#")[0] for line in found.source])
    assert set(names) == {"photographs:china.jpg", "photographs:flower.jpg"}
    assert {(name, group) for name, group in zip(names, found.groups, strict=True)} == {
        ("photographs:china.jpg", found.groups[names == "photographs:china.jpg"][0]),
        ("photographs:flower.jpg", found.groups[names == "photographs:flower.jpg"][0]),
    }
    grouped = write_parquet(tmp_path / "s.parquet", [png(seed) for seed in range(30)], [0] * 30, group=[1, 2, 3] * 10)
    assert len(np.unique(strangers(grouped, np.arange(30), host(), seed=0).groups)) == 3
    assert len(np.unique(strangers("noise", np.arange(30), host(), seed=0).groups)) == 30


def test_a_source_too_small_is_refused_and_broken_images_are_passed_over(tmp_path):
    images = [png(seed) for seed in range(30)]
    images[4:9] = [b"broken"] * 5
    small = write_parquet(tmp_path / "s.parquet", images, [0] * 30)
    assert len(strangers(small, np.arange(25), host(), seed=0).images) == 25
    with pytest.raises(BadOption, match="ood needs 26 images, more than"):
        strangers(small, np.arange(26), host(), seed=0)
    with pytest.raises(BadOption, match="ood needs 31 images"):
        strangers(small, np.arange(31), host(), seed=0)


def test_the_host_is_no_source_of_strangers():
    with pytest.raises(BadOption, match="20 of 20 images of 'digits' stand in 'digits' itself"):
        strangers("digits", np.arange(20), load("digits"), seed=0)


def test_a_source_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UnknownName, match=r"unknown source 'nosuch'; known: .*noise, .*photographs"):
        strangers("nosuch", np.arange(3), host(), seed=0)
    with pytest.raises(BadData, match="does not exist"):
        strangers(f"parquet:{tmp_path}/x", np.arange(3), host(), seed=0)


def labels(policy, seed=0, n=2000):
    ids = np.arange(n)
    like = Samples(np.zeros((n, 2, 2, 1), dtype=np.uint8), ids % 3, ids, ("a", "b", "c"))
    world = Host(like, Tables({}, {}, "", ""), "noise", policy, seed)
    return out_of_distribution(world, np.arange(0, n, 2)).labels, like.labels[::2]


def test_the_label_policies_are_uniform_one_for_all_or_as_before():
    random, kept_before = labels("random")
    assert np.bincount(random).min() > 270 and len(np.bincount(random)) == 3
    assert len(set(labels("single")[0])) == 1
    assert len({labels("single", seed, 10)[0][0] for seed in range(10)}) > 1
    assert np.array_equal(labels("kept")[0], kept_before)
    with pytest.raises(UnknownName, match="unknown label policy 'nosuch'"):
        labels("nosuch")


def test_made_strangers_have_a_digest_too(tmp_path):
    source = spec("parquet", tmp_path)
    assert strangers_digest(source) == digest(source)
    assert strangers_digest("noise") != strangers_digest("photographs")


def test_tiny_imagenet_enters_cifar10():
    like = load(f"parquet:{real('cifar10/train.parquet')}", subset=200)
    path = real("ood/tiny_imagenet_val.parquet")
    found = strangers(f"parquet:{path}?cifar10_relation=none", np.arange(50), like, seed=0)
    assert found.images.shape == (50, 32, 32, 3)
    assert found.source[0].startswith("tiny_imagenet_val#")


def coloured():
    return replace(host(), images=np.random.default_rng(0).integers(0, 256, (30, 12, 16, 3), dtype=np.uint8))


def test_shuffled_patches_keep_the_pixels_of_the_replaced_image_and_no_more():
    like, rows = coloured(), np.array([3, 17, 20])
    found = strangers("shuffled_patches", rows, like, seed=0)
    for image, row in zip(found.images, rows, strict=True):
        assert not np.array_equal(image, like.images[row])
        blocks = [
            set(map(bytes, part.reshape(4, 3, 4, 4, 3).swapaxes(1, 2).reshape(16, -1)))
            for part in (image, like.images[row])
        ]
        assert blocks[0] == blocks[1]


def test_several_sources_take_equal_parts_and_share_no_group():
    found = strangers("noise|photographs|shuffled_patches", np.arange(30), coloured(), seed=0)
    names = np.array([line.split("#")[0].split(":")[0] for line in found.source])
    assert dict(zip(*np.unique(names, return_counts=True), strict=True)) == {
        "noise": 10,
        "photographs": 10,
        "shuffled_patches": 10,
    }
    assert not set(found.groups[names == "noise"]) & set(found.groups[names == "shuffled_patches"])
    assert len(np.unique(found.groups[names == "noise"])) == 10 and found.groups.max() < coloured().groups.min()
    assert strangers_digest("noise|photographs") == "noise|photographs"


def test_a_source_is_named_once():
    with pytest.raises(BadOption, match="names a source twice"):
        strangers("noise|noise", np.arange(4), host(), seed=0)
