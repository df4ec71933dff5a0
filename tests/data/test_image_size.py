import numpy as np
import pytest
from image_files import encoded, picture, png, write_folder, write_parquet
from PIL import Image

from anomaly_mlflow.data.samples import Encoding
from anomaly_mlflow.data.sources import load, load_split
from anomaly_mlflow.errors import BadOption


def test_images_of_any_size_and_colour_are_brought_to_the_size_asked_for(tmp_path):
    images = [png(0, height=6, width=9)] * 30 + [png(1, height=40, width=20)] * 8 + [png(2, channels=1)] * 2
    samples = load(write_parquet(tmp_path / "a.parquet", images, [0, 1] * 20), image_size=12)
    assert samples.images.shape == (40, 12, 12, 3)
    wanted = Image.fromarray(picture(0, height=6, width=9)).resize((12, 12), Image.Resampling.LANCZOS)
    assert np.array_equal(samples.images[0], np.asarray(wanted))


def test_grey_stays_grey_and_the_test_images_follow_the_training_images(tmp_path):
    train = write_folder(tmp_path / "train", {"a": 12, "b": 12}, channels=1)
    test = write_folder(tmp_path / "test", {"b": 2}, height=20, width=30)
    trained, tested = load_split(train, test=test, image_size=5)
    assert trained.image_shape == tested.image_shape == (5, 5, 1)


def test_the_held_out_tenth_does_not_depend_on_the_size():
    for one, other in zip(load_split("digits"), load_split("digits", image_size=16), strict=True):
        assert np.isin(other.sample_id, one.sample_id).all() and other.image_shape == (16, 16, 1)


def test_the_own_size_changes_nothing():
    assert np.array_equal(load("digits", image_size=8).images, load("digits").images)
    assert load("digits", image_size=8).encoding.levels == 17


def test_scaled_images_have_no_grey_levels_or_jpeg_blocks_left(tmp_path):
    assert load("digits", image_size=12).encoding == Encoding()
    images = [encoded(picture(seed), "JPEG") for seed in range(40)]
    spec = write_parquet(tmp_path / "a.parquet", images, [0, 1] * 20)
    assert load(spec, image_size=8).encoding.jpeg_tables and load(spec, image_size=4).encoding == Encoding()


@pytest.mark.parametrize("size", [3, 513, 0, -8])
def test_a_size_that_makes_no_sense_is_refused(size):
    with pytest.raises(BadOption, match=f"image_size={size} cannot be used; choose 4 to 512 pixels"):
        load("digits", image_size=size)
