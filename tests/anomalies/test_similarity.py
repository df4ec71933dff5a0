import numpy as np
import pandas as pd
import pytest
from image_files import real

from anomaly_mlflow.anomalies.confusion import confusion_rates
from anomaly_mlflow.anomalies.literature import LITERATURE
from anomaly_mlflow.anomalies.similarity import by_name, class_distance, class_tables
from anomaly_mlflow.anomalies.superclasses import SUPERCLASSES
from anomaly_mlflow.data.names import CIFAR10, CIFAR100, FASHION, TEN_DIGITS
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
        ((ABC, DISTANCE, "human"), BadOption, "near table human needs confusion=parquet:PATH#TRUE,GIVEN"),
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


@pytest.mark.parametrize("classes", LITERATURE, ids=len)
def test_every_published_pair_names_two_classes_and_is_near_or_far_but_not_both(classes):
    tables = class_tables(classes, None, "literature", "literature")
    for label in range(len(classes)):
        near, far = set(tables.near.get(label, ())), set(tables.far.get(label, ()))
        assert not near & far and label not in near | far
    assert len(tables.near) >= 5 and len(tables.far) >= 6


def test_the_literature_tables_of_digits_are_patrinis_and_of_fashion_zhang_and_sabuncus():
    assert class_tables(TEN_DIGITS, None, "literature", "literature").near == {
        2: (7,),
        3: (8,),
        5: (6,),
        6: (5,),
        7: (1,),
    }
    near = by_name(class_tables(FASHION, None), FASHION)["near"]["pairs"]
    published = {"Ankle boot": "Sneaker", "Sneaker": "Sandal", "Pullover": "Shirt", "Coat": "Dress", "Dress": "Coat"}
    assert {name: near[name] for name in published} == {name: [other] for name, other in published.items()}


def test_cifar100_has_twenty_superclasses_of_five_and_no_animal_is_far_from_a_plant():
    assert [len(members) for members in SUPERCLASSES.values()] == [5] * 20
    assert sorted(sum(SUPERCLASSES.values(), ())) == list(CIFAR100)
    tables = class_tables(CIFAR100, None)
    assert tables.near_source == tables.far_source == "literature" and len(tables.near) == 100
    pairs = by_name(tables, CIFAR100)
    assert pairs["near"]["pairs"]["wolf"] == ["bear", "leopard", "lion", "tiger"]
    assert set(pairs["far"]["pairs"]["wolf"]) == set(pairs["far"]["pairs"]["oak_tree"]) and len(tables.far) == 90
    assert len(pairs["far"]["pairs"]["tank"]) == 70 and "plate" not in pairs["far"]["pairs"]


def test_ten_numbered_classes_are_digits_only_in_a_set_of_digits():
    distance = 1 - np.eye(10)
    assert class_tables(TEN_DIGITS, distance, set_name="mnist").near_source == "literature"
    assert class_tables(TEN_DIGITS, distance, set_name="pets").near_source == "embedding"


def test_human_tables_are_the_most_and_the_least_frequent_confusions_ties_included():
    true, given = np.repeat([0, 1, 2, 3], [10, 4, 3, 2]), [*[0] * 6, 1, 1, 1, 2, 1, 1, 0, 2, 2, 2, 2, 3, 3]
    rates = confusion_rates(true, np.array(given), 5)
    assert np.allclose(rates[0], [0.6, 0.3, 0.1, 0, 0]) and np.allclose(rates[1], [0.25, 0.5, 0.25, 0, 0])
    assert not rates[4].any()
    tables = class_tables((*ABC, "d", "e"), None, "human", "human", confusion=rates)
    assert tables.near == {0: (1,), 1: (0, 2)} and tables.far == {0: (3, 4), 1: (3, 4)}
    named = by_name(tables, (*ABC, "d", "e"))
    assert named["near"] == {"source": "human", "pairs": {"a": ["b"], "b": ["a", "c"]}}
    assert named["confusion"]["a"] == pytest.approx({"a": 0.6, "b": 0.3, "c": 0.1})


def test_confusions_without_a_single_error_are_refused():
    with pytest.raises(BadOption, match="never differ"):
        confusion_rates(np.array([0, 1]), np.array([0, 1]), 2)


def test_human_tables_of_cifar10n_are_its_known_confusions():
    frame = pd.read_parquet(real("cifar10n/labels.parquet"))
    rates = confusion_rates(frame["clean"].to_numpy(), frame["worst"].to_numpy(), 10)
    assert [round(rates[true, given], 3) for true, given in [(9, 1), (3, 5), (7, 9), (6, 9)]] == [
        0.282,
        0.206,
        0.011,
        0.013,
    ]
    tables = class_tables(CIFAR10, None, "human", "human", confusion=rates)
    assert {tables.near[label] for label in (9, 3, 5, 4)} == {(1,), (5,), (3,), (7,)}
    assert tables.far[7] == tables.far[4] == (9,) and tables.far[9] == (6,) and tables.far[5] == (8,)
