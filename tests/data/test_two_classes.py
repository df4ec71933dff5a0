import numpy as np
import pytest

from anomaly_mlflow.data.two_classes import default_pair, named_pair, only_pair
from anomaly_mlflow.errors import BadOption, UnknownName


def test_only_the_two_classes_are_left_and_count_0_and_1(stripes):
    part = only_pair(stripes, ("right", "left"))
    rows = np.flatnonzero(stripes.labels != 1)
    assert np.array_equal(part.sample_id, stripes.sample_id[rows]) and np.array_equal(part.images, stripes.images[rows])
    assert np.array_equal(part.labels, (stripes.labels[rows] == 0).astype(int))
    assert part.classes == ("right", "left") and part.num_classes == 2


def test_cat_and_dog_or_3_and_5_or_the_first_two():
    assert default_pair(("bird", "cat", "deer", "dog")) == ("cat", "dog")
    assert default_pair(tuple("0123456789")) == ("3", "5")
    assert default_pair(("left", "middle", "right")) == ("left", "middle")


def test_a_pair_is_two_known_names(stripes):
    assert named_pair("right, left", stripes.classes) == ("right", "left")
    for text in ("left", "left,left", "left,right,middle"):
        with pytest.raises(BadOption, match="does not name two classes"):
            named_pair(text, stripes.classes)
    with pytest.raises(UnknownName, match="unknown class 'up'"):
        named_pair("left,up", stripes.classes)
