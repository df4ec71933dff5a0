import json

import numpy as np
import pandas as pd
import pytest
from image_files import real

from anomaly_mlflow.data.human_labels import human_labels
from anomaly_mlflow.data.names import CIFAR10
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.label_errors import LabelErrors
from anomaly_mlflow.detection.probe_calibration import Prior
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.detection.type_shares import type_shares
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.report.nutrition import nutrition
from anomaly_mlflow.report.nutrition_page import nutrition_page
from anomaly_mlflow.studies.agreement import agreement, fleiss_kappa

HOSTILE = '<script>alert("x")</script> http://example.org'
CLASSES = ("cat", "dog $1", HOSTILE)
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2])
JOINT = np.array([[3, 1, 0], [0, 2, 0], [1, 0, 1]])
RATERS = np.array([[0, 0, 0, 1, 1, 1, 2, 0], [0, 0, 1, 1, 1, 1, 2, 1], [0, 0, 2, 1, 1, 0, 2, 2]])


def samples():
    return Samples(np.zeros((8, 4, 6, 3), np.uint8), LABELS, np.arange(8), CLASSES, "pets", np.arange(8) // 2)


def whole():
    values = np.arange(8.0)
    features = pd.DataFrame({"up": values, "bent": values**3, "down": -values, "flat": 1.0, "other": values})
    return nutrition(
        samples(),
        "parquet:pets.parquet",
        sha256="ab" * 32,
        licence="CC0 1.0",
        part={"subset": 8, "test": "none"},
        injected={"convention": "pmd_1", "convention.rate_real": np.float64(0.35)},
        rates={"gross": Interval(0.1, 0.05, 0.2), "ood": Interval(0.02, np.nan, np.nan)},
        joint=JOINT,
        raters=RATERS,
        features=features,
        signals=["up", "bent", "down", "flat"],
    )


def test_a_label_survives_json_and_its_page_needs_no_other_address():
    label = whole()
    again = json.loads(json.dumps(label, allow_nan=False))
    assert again == label
    page = nutrition_page(again)
    assert page.replace(HOSTILE, "") == page and "&lt;script&gt;" in page
    outside = page.replace("http://example.org", "")
    assert "part: subset" in page and label["provenance"]["part"] == {"subset": 8, "test": "none"}
    assert "http" not in outside and "src=" in outside and 'src="data:image/png' in outside


def test_counts_by_hand():
    label = whole()
    assert label["data"] == {
        "rows": 8,
        "classes": 3,
        "height": 4,
        "width": 6,
        "channels": 3,
        "source_groups": 4,
        "largest_over_smallest_class": 2.0,
    }
    assert [one["rows"] for one in label["classes"]] == [4, 2, 2]
    assert [one["share"] for one in label["classes"]] == [0.5, 0.25, 0.25]
    assert [one["estimated_wrong"] for one in label["classes"]] == [0.25, 0, 0.5]
    assert label["confident_joint"] == {"counts": JOINT.tolist(), "off_diagonal": 0.25}
    assert label["rates"]["gross"] == {"value": 0.1, "low": 0.05, "high": 0.2}
    assert label["rates"]["ood"] == {"value": 0.02, "low": None, "high": None}
    assert label["provenance"]["injected"] == {"convention": "pmd_1", "convention.rate_real": 0.35}
    assert label["correlations"]["spearman"][0] == pytest.approx([1, 1, -1, None])
    assert label["unknown"] == []


def test_people_by_hand():
    found = whole()["people"]
    # all the same: rows 0, 1, 3, 4, 6; all different: 2 and 7; the majority says the given label in 0, 1, 4, 5, 6
    assert (found["raters"], found["unanimous"]["value"], found["all_differ"]["value"]) == (3, 5 / 8, 2 / 8)
    assert found["majority_given"]["value"] == 5 / 8
    assert found["unanimous_by_class"] == [0.75, 0.5, 0.5]
    # Wilson's interval of 5 of 8: (p + z2/2n +- z sqrt(pq/n + z2/4n2)) / (1 + z2/n)
    assert (found["unanimous"]["low"], found["unanimous"]["high"]) == pytest.approx((0.3057, 0.8632), abs=1e-4)


def test_fleiss_own_example():
    votes = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    assert fleiss_kappa(np.array(votes)) == pytest.approx(0.210, abs=5e-4)
    assert fleiss_kappa(np.array([[3, 0], [0, 3]])) == 1 and np.isnan(fleiss_kappa(np.array([[3, 0], [3, 0]])))


def test_three_people_on_cifar_10n_agree_as_counted_in_its_file():
    table = f"parquet:{real('cifar10n/labels.parquet')}"
    raters = human_labels(f"{table}#random1,random2,random3", np.arange(50000), CIFAR10)
    given = human_labels(f"{table}#clean", np.arange(50000), CIFAR10)[0]
    found = agreement(raters, given, 10)
    assert found.unanimous.value == pytest.approx(0.6036, abs=5e-5)
    assert found.all_differ.value == pytest.approx(0.0608, abs=5e-5)
    assert 0.6 < found.kappa < 0.8


def test_what_nobody_knows_is_said_to_be_unknown():
    label = nutrition(samples(), "imagefolder:pets")
    assert label["unknown"] == [
        "provenance.sha256",
        "provenance.licence",
        "provenance.injected",
        "rates",
        "confident_joint",
        "people",
        "correlations",
    ]
    assert label["provenance"]["licence"] == "not stated" and label["rates"] is None
    page = nutrition_page(json.loads(json.dumps(label)))
    for words in ("nobody has estimated it", "no model has been asked", "several people are not at hand", "no signals"):
        assert words in page
    assert page.count("unknown") >= 5 and ">nan<" not in page and "None" not in page


def test_a_licence_is_known_for_a_named_source_alone():
    assert nutrition(samples(), "fashion_mnist")["provenance"]["licence"] == "MIT"
    assert nutrition(samples(), "parquet:fashion_mnist")["provenance"]["licence"] == "not stated"


def test_a_class_without_a_row_has_no_rate_and_no_imbalance():
    empty = Samples(np.zeros((2, 4, 4, 1), np.uint8), np.array([0, 0]), np.arange(2), ("a", "b"))
    label = nutrition(empty, "x", joint=np.array([[2, 0], [0, 0]]), raters=np.zeros((2, 2), np.int64))
    assert label["classes"][1] == {"class": "b", "rows": 0, "share": 0.0, "estimated_wrong": None}
    assert label["data"]["largest_over_smallest_class"] is None
    assert label["people"]["fleiss_kappa"] is None and label["people"]["unanimous_by_class"] == [1.0, None]
    page = nutrition_page(json.loads(json.dumps(label, allow_nan=False)))
    assert "kappa unknown" in page


def test_many_classes_have_their_largest_pairs_and_no_figure_of_all():
    labels = np.arange(60) % 30
    many = Samples(np.zeros((60, 4, 4, 1), np.uint8), labels, np.arange(60), tuple(map(str, range(30))))
    page = nutrition_page(nutrition(many, "x", joint=np.eye(30) + np.eye(30, k=1) * 0.5))
    assert "data:image" not in page and page.count("0.500") == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"joint": np.ones((2, 3))}, "must be 3 x 3 counts"),
        ({"joint": -np.ones((3, 3))}, "must be 3 x 3 counts"),
        ({"raters": np.zeros((1, 8), int)}, "two people or more"),
        ({"raters": np.zeros((3, 7), int)}, "of 8 images"),
        ({"features": pd.DataFrame({"a": [1.0]}), "signals": ["a", "b"]}, "missing: b"),
        ({"features": pd.DataFrame({"a": [1.0]}), "signals": ["a"]}, "two columns"),
    ],
)
def test_tables_that_do_not_fit_are_refused(options, message):
    with pytest.raises(BadData, match=message):
        nutrition(samples(), "x", **options)


def test_shares_of_types_follow_the_share_of_wrong_labels():
    parts = {"near_miss": [0.2, 0.0], "gross": [0.1, 0.1], "random_flip": [0.0, 0.2], "ood": [0.0, 0.0]}
    table = pd.DataFrame({f"type.{kind}": values for kind, values in parts.items()})
    found = LabelErrors(table, Prior(Interval(0.3, 0.15, 0.45), 0.3, 0.4), 0.5, {}, np.zeros(2))
    shares = type_shares(found)
    assert shares["near_miss"] == Interval(0.1, pytest.approx(0.05), pytest.approx(0.15))
    assert sum(one.value for one in shares.values()) == pytest.approx(0.3)
    none = LabelErrors(table * 0, Prior(Interval(0.0, 0.0, 0.0), 0.0, 0.0), 0.5, {}, np.zeros(2))
    assert np.isnan(type_shares(none)["gross"].low)
