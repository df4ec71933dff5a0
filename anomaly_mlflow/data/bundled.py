"""The data set that comes with an installed library."""

import numpy as np
from sklearn.datasets import load_digits

from anomaly_mlflow.data.listing import Listing, Spec, from_arrays, source
from anomaly_mlflow.data.names import TEN_DIGITS

__all__ = ["digits"]


@source()
def digits(spec: Spec) -> Listing:
    """1,797 handwritten digits of 8x8x1 and 17 grey values 0..16, stretched to 0..255 (Alpaydin, Kaynak 1998)."""
    bunch = load_digits()
    images = np.round(bunch.images * 255 / 16).astype(np.uint8)
    return from_arrays("digits", TEN_DIGITS, images, bunch.target, levels=17)
