import numpy as np
import pytest

from anomaly_mlflow.anomalies.similarity import class_distance, class_tables
from anomaly_mlflow.data.names import CIFAR10
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

DISTANCE = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 2.0], [4.0, 2.0, 0.0]])
ABC = ("a", "b", "c")


def test_the_literature_tables_of_cifar10_are_the_published_pairs():
    tables = class_tables(CIFAR10, None)
    assert tables.near == {9: (1,), 2: (0,), 4: (7,), 3: (5,), 5: (3,)}
    assert tables.far == {1: (7,), 6: (1, 0, 9), 9: (4, 6), 5: (0, 8, 1), 7: (9,), 4: (9,)}
    assert tables.near_source == tables.far_source == "literature"


def test_the_embedding_tables_are_the_nearest_and_the_farthest_class():
    before = DISTANCE.copy()
    tables = class_tables(ABC, DISTANCE)
    assert tables.near == {0: (1,), 1: (0,), 2: (1,)} and tables.far == {0: (2,), 1: (2,), 2: (0,)}
    assert tables.near_source == "embedding" and np.array_equal(before, DISTANCE)


def test_near_and_far_are_chosen_apart():
    tables = class_tables(CIFAR10, np.arange(100.0).reshape(10, 10), near="embedding")
    assert (tables.near_source, tables.far_source) == ("embedding", "literature")


def test_a_class_never_is_its_own_partner_even_where_all_distances_are_equal():
    tables = class_tables(ABC, np.zeros((3, 3)))
    assert all(label not in table[label] for table in (tables.near, tables.far) for label in table)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((ABC, DISTANCE, "literature"), BadOption, "no published near table"),
        ((ABC, DISTANCE, "auto", "literature"), BadOption, "no published far table"),
        ((ABC, DISTANCE, "nearest"), UnknownName, "unknown near table 'nearest'; known: auto, embedding"),
        ((ABC, None), BadOption, "needs distances"),
        ((ABC, np.zeros((2, 2))), BadOption, "needs distances"),
        ((("a",), np.zeros((1, 1))), BadOption, "at least two classes"),
        ((ABC, DISTANCE * np.nan), BadData, "not finite"),
    ],
)
def test_tables_that_cannot_be_made_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        class_tables(*arguments)


def test_class_distance_is_the_cosine_distance_of_the_means():
    embeddings = np.array([[2.0, 0.0], [4.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], dtype=np.float32)
    distance = class_distance(embeddings, np.array([0, 0, 1, 2]), 3)
    assert np.allclose(distance, [[0, 1, 2], [1, 0, 1], [2, 1, 0]])
    with pytest.raises(BadData, match="class 3 has no embeddings"):
        class_distance(embeddings, np.array([0, 0, 1, 2]), 4)
