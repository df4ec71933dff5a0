"""The pictures of the planted world: a stripe and a gradient for each class, grain, strangers without either."""

import numpy as np
from scipy.ndimage import gaussian_filter

SIDE = 24


def pictures(types, truth, twin_of, rng):
    """uint8 (n, SIDE, SIDE, 1); a duplicate repeats the picture of its twin but for a grey level here and there."""
    n = len(types)
    x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    phase, strength = rng.uniform(0, np.pi, n), rng.uniform(40, 60, n)
    angle = np.pi * truth / (truth.max() + 1)
    waves = np.sin(0.9 * (x * np.cos(angle)[:, None, None] + y * np.sin(angle)[:, None, None]) + phase[:, None, None])
    images = (
        128 + rng.uniform(-15, 15, (n, 1, 1)) + strength[:, None, None] * waves + rng.normal(0, 12, (n, SIDE, SIDE))
    )
    strange = types == "ood"
    images[strange] = 128 + 60 * rng.standard_normal((strange.sum(), SIDE, SIDE))
    spoil = {
        "dark": lambda image: 0.12 * image,
        "light": lambda image: 255 - 0.08 * image,
        "blurry": lambda image: gaussian_filter(image, 3),
        "low_information": lambda image: 120 + 4 * np.round(0.01 * image),
    }
    for kind, change in spoil.items():
        for row in np.flatnonzero(types == kind):
            images[row] = change(images[row])
    twins = twin_of != np.arange(n)
    images[twins] = images[twin_of[twins]] + (rng.random((twins.sum(), SIDE, SIDE)) < 0.01)
    return np.clip(np.round(images), 0, 255).astype(np.uint8)[:, :, :, None]
