"""Corruptions in grades against reference values: variance of noise, sum and shape of the blur's kernel, SSIM."""

import numpy as np
import pytest

from anomaly_mlflow.anomalies.graded_corruptions import GRADED, chosen_corruptions, corrupted
from anomaly_mlflow.anomalies.perceptual import structural_similarity
from anomaly_mlflow.data.sources import load
from anomaly_mlflow.errors import UnknownName

ROUNDING = 1 / 255**2 / 12  # variance of rounding to 256 levels


def grey(n=40, side=32, channels=3):
    return np.full((n, side, side, channels), 128, np.uint8)


def textured(n=30, side=16, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 220, (n, side // 4, side // 4, channels))
    return np.clip(
        np.kron(coarse, np.ones((1, 4, 4, 1))) + rng.normal(0, 10, (n, side, side, channels)), 0, 255
    ).astype(np.uint8)


def severe(name):
    return GRADED[name].severities[-1]


@pytest.mark.parametrize("sigma", [0.02, 0.05, 0.1])
def test_the_variance_of_the_added_noise_is_sigma_squared(sigma):
    images = grey()
    added = corrupted(GRADED["gaussian_noise"], images, sigma, 0) / 255 - 128 / 255
    assert abs(added.mean()) < 4 * sigma / np.sqrt(added.size)
    expected = sigma**2 + ROUNDING
    assert abs(added.var() - expected) < 4 * expected * np.sqrt(2 / added.size)
    assert abs(np.corrcoef(added[..., 0].ravel(), added[..., 1].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(added[:, :, 1:].ravel(), added[:, :, :-1].ravel())[0, 1]) < 0.03


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.5])
def test_the_kernel_of_the_blur_sums_to_one_and_is_normal(sigma):
    impulse = np.zeros((1, 31, 31, 1), np.float32)
    impulse[0, 15, 15, 0] = 1
    kernel = GRADED["gaussian_blur"].damage(impulse, sigma, np.random.default_rng(0))[0, :, :, 0]
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    offsets = np.arange(31) - 15
    inside = np.abs(offsets) <= int(4 * sigma + 0.5)
    one_axis = np.where(inside, np.exp(-(offsets**2) / (2 * sigma**2)), 0)
    one_axis /= one_axis.sum()
    assert kernel == pytest.approx(np.outer(one_axis, one_axis), abs=1e-6)


def test_blur_keeps_channels_and_images_apart_and_grey_areas_as_they_are():
    images = grey(2)
    images[0, :, :, 0] = 0
    blurred = corrupted(GRADED["gaussian_blur"], images, 2.5, 0)
    assert np.array_equal(blurred, images)


@pytest.mark.parametrize("name", GRADED)
@pytest.mark.parametrize("channels", [1, 3])
def test_severity_0_is_the_image_itself_and_more_severity_is_more_damage(name, channels):
    images = textured(channels=channels)
    corruption = GRADED[name]
    assert corruption.severities[0] == 0 and list(corruption.severities) == sorted(set(corruption.severities))
    assert corrupted(corruption, images, 0, 0) is images
    before = images.copy()
    likeness = [structural_similarity(images, corrupted(corruption, images, each, 0)) for each in corruption.severities]
    assert np.array_equal(images, before)
    means = np.array([one.mean() for one in likeness])
    assert means[0] == pytest.approx(1) and (np.diff(means) < 0.002).all() and means[-1] < 0.97
    assert (means <= 1 + 1e-6).all()


@pytest.mark.parametrize("name", GRADED)
def test_damage_follows_the_seed_and_what_is_drawn_is_the_same_at_every_severity(name):
    images = textured()
    once, again = (corrupted(GRADED[name], images, severe(name), 5) for _ in range(2))
    assert once.dtype == np.uint8 and once.shape == images.shape and np.array_equal(once, again)
    if name in ("gaussian_noise", "elastic"):
        assert not np.array_equal(once, corrupted(GRADED[name], images, severe(name), 6))
    images = grey()
    weak, strong = (corrupted(GRADED["gaussian_noise"], images, sigma, 5) / 255 - 128 / 255 for sigma in (0.05, 0.1))
    assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("name", GRADED)
@pytest.mark.parametrize("shape", [(4, 4), (4, 64), (40, 6)])
def test_tiny_and_elongated_images_are_damaged_too(name, shape):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape, 3), np.uint8)
    assert corrupted(GRADED[name], images, severe(name), 0).shape == images.shape


def test_brightness_and_contrast_are_what_their_names_say():
    images = grey()
    assert (corrupted(GRADED["brightness"], images, 0.4, 0) == 179).all()  # 1.4 * 128 = 179.2
    assert (corrupted(GRADED["brightness"], images, 1.0, 0) == 255).all()
    halved = textured(channels=1)
    lost = corrupted(GRADED["contrast"], halved, 0.5, 0)
    assert lost.std(axis=(1, 2)) == pytest.approx(halved.std(axis=(1, 2)) / 2, rel=0.03)
    assert lost.mean(axis=(1, 2)) == pytest.approx(halved.mean(axis=(1, 2)), abs=1)


def test_all_or_named_ones_are_chosen_and_others_refused():
    assert [one.name for one in chosen_corruptions("all")] == list(GRADED)
    assert [one.name for one in chosen_corruptions("jpeg, gaussian_noise,jpeg")] == ["gaussian_noise", "jpeg"]
    with pytest.raises(UnknownName, match="unknown corruption 'fog'; known: brightness, "):
        chosen_corruptions("fog")


def test_similarity_is_that_of_wang_et_al_for_images_of_one_value():
    # without structure only luminance is left: (2 a b + c1) / (a^2 + b^2 + c1), c1 = .01^2
    a, b = 51 / 255, 102 / 255
    first, second = (np.full((3, 16, 16, 3), value, np.uint8) for value in (51, 102))
    expected = (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4)
    assert structural_similarity(first, second) == pytest.approx(np.full(3, expected), abs=1e-4)
    small = structural_similarity(first[:, :8, :8, :1], second[:, :8, :8, :1])
    assert small == pytest.approx(np.full(3, expected), abs=1e-4)


def test_similarity_on_real_digits_falls_with_noise_and_with_blur():
    images = load("digits", subset=100).images
    for name in ("gaussian_noise", "gaussian_blur"):
        found = [structural_similarity(images, corrupted(GRADED[name], images, each, 0)).mean() for each in (0, 0.5, 1)]
        assert found[2] < found[1] < found[0] == pytest.approx(1)
