"""Image quality: by hand on tiny images, and against Pillow and NumPy one image at a time."""

import numpy as np
import pytest
from one_fold import value
from PIL import Image, ImageFilter, ImageStat

from anomaly_mlflow.signals import Evidence, pixels

NAMES = ("dark", "light", "blurry", "low_information")


def pictured(images):
    return Evidence(np.arange(len(images)), np.zeros(len(images), int), 2, images=images)


def random_images(channels, n=7, height=11, width=9):
    rng = np.random.default_rng(channels)
    return (rng.integers(0, 256, (n, height, width, channels)) * rng.uniform(0.1, 1, (n, 1, 1, 1))).astype(np.uint8)


def as_pillow(images):
    return [Image.fromarray(image.squeeze()).convert("L") for image in images]


@pytest.mark.parametrize("channels", [1, 3])
def test_blur_and_information_agree_with_pillow(channels):
    images = random_images(channels)
    edges = [ImageStat.Stat(each.filter(ImageFilter.FIND_EDGES)).stddev[0] for each in as_pillow(images)]
    np.testing.assert_allclose(value("blurry", pictured(images)), np.exp(-np.array(edges) / 100), rtol=1e-6)
    bits = [each.entropy() for each in as_pillow(images)]
    np.testing.assert_allclose(value("low_information", pictured(images)), 1 - np.array(bits) / 8, rtol=1e-6)


def test_brightness_of_one_colour_by_hand():
    images = np.zeros((3, 4, 4, 3), np.uint8)
    images[0], images[1] = 255, [200, 100, 50]
    brightness = np.sqrt(0.241 * 200**2 + 0.691 * 100**2 + 0.068 * 50**2) / 255
    np.testing.assert_allclose(value("dark", pictured(images)), [0, 1 - brightness, 1], atol=1e-9)
    np.testing.assert_allclose(value("light", pictured(images)), [1, brightness, 0], atol=1e-9)


def test_dark_looks_at_the_brightest_and_light_at_the_darkest_pixels():
    image = np.arange(101, dtype=np.uint8).reshape(1, 101, 1, 1)  # 0 .. 100: its percentiles are its values
    assert value("dark", pictured(image)) == pytest.approx(1 - 99 / 255)
    assert value("light", pictured(image)) == pytest.approx(5 / 255)


def test_information_by_hand():
    images = np.array([[0] * 16, [0, 1] * 8, list(range(16))], np.uint8).reshape(3, 4, 4, 1)
    np.testing.assert_allclose(value("low_information", pictured(images)), [1, 1 - 1 / 8, 1 - 4 / 8])


@pytest.mark.parametrize("name", NAMES)
def test_a_grey_image_in_three_channels_is_the_grey_image(name):
    grey = random_images(1)
    colour = np.repeat(grey, 3, axis=3)
    np.testing.assert_allclose(value(name, pictured(colour)), value(name, pictured(grey)), atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_and_a_mapped_file_give_the_same_numbers(name, tmp_path, monkeypatch):
    images = random_images(3)
    whole = value(name, pictured(images))
    np.save(tmp_path / "images.npy", images)
    monkeypatch.setattr(pixels, "BLOCK", 2 * images[0].size)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    np.testing.assert_array_equal(value(name, pictured(mapped)), whole)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(2, 1, 1, 1), (2, 2, 5, 3)])
@pytest.mark.parametrize("level", [0, 255])
def test_is_finite_and_within_0_and_1_for_blank_and_tiny_images(name, shape, level):
    values = value(name, pictured(np.full(shape, level, np.uint8)))
    assert ((values >= 0) & (values <= 1)).all()


@pytest.mark.parametrize("shape", [(28, 28, 1), (20, 9, 3), (5, 40, 3)])
def test_thumbnails_are_means_of_areas_without_brightness_and_contrast(shape):
    image = np.random.default_rng(0).integers(0, 120, shape).astype(np.uint8)
    rows, columns = (np.split(np.arange(size), cuts(size)) for size in shape[:2])
    means = np.array([[image[row][:, column].mean(axis=(0, 1)) for column in columns] for row in rows]).ravel()
    expected = (means - means.mean()) / np.linalg.norm(means - means.mean())
    np.testing.assert_allclose(pixels.thumbnails(image[None])[0], expected, atol=1e-5)
    np.testing.assert_allclose(pixels.thumbnails(2 * image[None] + 10)[0], expected, atol=1e-5)


def cuts(size):
    return np.arange(1, min(8, size)) * size // min(8, size)
