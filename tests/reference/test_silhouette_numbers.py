"""Silhouettes by hand on the circle, and the judged row put among the references for scikit-learn."""

import numpy as np
import pytest
from one_fold import circle, clouds, one_fold, value
from sklearn.metrics import silhouette_samples


def test_equals_scikit_learns_for_the_judged_row_among_the_references():
    judged, labels, references, known = clouds(3, 25, 60)
    expected = [
        silhouette_samples(np.vstack([references, judged[[i]]]), np.append(known, labels[i]), metric="cosine")[-1]
        for i in range(25)
    ]
    found = value("silhouette", one_fold(judged, labels, references, known, 3))
    np.testing.assert_allclose(found, -np.array(expected), rtol=1e-5, atol=1e-6)


def test_by_hand_on_the_circle():
    # class 0 at 0 and 90 degrees, class 1 at 180 twice; cosine distances of 0 degrees: (0 + 1) / 2 and 2
    evidence = one_fold(circle(0, 0, 180), [0, 1, 1], circle(0, 90, 180, 180), [0, 0, 1, 1], 2)
    np.testing.assert_allclose(value("silhouette", evidence), [-0.75, 0.75, -1], atol=1e-6)
    # mean of class 0 is (1/2, 1/2), at 1/sqrt(2) of (1, 0); (-1, 0) is at 2
    near = 0.5**0.5
    expected = [-(2 - near) / 2, (2 - near) / 2, -1]
    np.testing.assert_allclose(value("simplified_silhouette", evidence), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["silhouette", "simplified_silhouette"])
def test_is_0_where_the_given_class_or_every_other_one_has_no_reference(name):
    absent = one_fold(circle(10), [2], circle(0, 90, 180), [0, 0, 1], 3)
    alone = one_fold(circle(10), [0], circle(0, 90), [0, 0], 3)
    assert value(name, absent) == 0 and value(name, alone) == 0
