import numpy as np
import planted_types
import pytest

from anomaly_mlflow.report.types_page import types_page


@pytest.fixture(scope="module")
def planted():
    return planted_types.type_parts()


def test_the_scores_are_of_all_types_sources_and_rules_and_lie_within_their_intervals(planted):
    scores = planted[0]["type_scores"]
    assert set(scores["score"]) == {
        "macro_f1",
        "macro_f1_six",
        "f1",
        "f1_six",
        "calibration_error",
        "calibration_error_merged",
        "calibration_error_classwise",
        "ood_f1",
        "ood_recall",
        "abstention",
    }
    f1 = scores[scores["score"].isin(["macro_f1", "f1", "ood_f1", "ood_recall"])]
    assert (f1["low"] <= f1["value"]).all() and (f1["value"] <= f1["high"]).all()
    assert scores.loc[scores["score"] == "ood_f1", "what"].tolist() == ["noise", "textures"]
    each = scores[scores["score"] == "f1"]["value"]
    assert scores["value"][0] == pytest.approx(each.mean())


def test_confusions_count_every_row_once(planted):
    six, merged = (planted[0][name].set_index("type") for name in ("confusion", "confusion_merged"))
    assert six.to_numpy().sum() == merged.to_numpy().sum() == 240
    far = six.loc[["gross", "random_flip"], ["gross", "random_flip"]].to_numpy().sum()
    assert merged.loc["gross_or_flip", "gross_or_flip"] == far


def test_the_limits_name_what_each_confusion_costs(planted):
    table = planted[0]["limits"]
    assert len(table) == 10 and (table["gain"] > 0).all() and table["gain"].is_monotonic_decreasing


def test_the_page_says_scores_overlap_and_limits_in_words(planted):
    parts, (curves, points), _ = planted
    rates = {"overlap.near_miss": 0.058, "overlap.gross": 0.132}
    figures, page = types_page(parts, curves, points, rates, {"seed": 3})
    assert set(figures) == {"confusion", "confusion_merged", "reliability", "risk_coverage", "ablation"}
    assert "13.2% of the random flips" in page and "5.8% one" in page
    assert f"Macro-F1 {parts['type_scores']['value'][0]:.3f}" in page
    assert "the linear member alone reaches 0.700" in page and "gross or flip" not in page.split("</style>")[0]
    assert page.count("data:image/png") == 5 and "nan" not in page.split("</style>")[1].replace("data:image", "")[:5000]


def test_the_ring_of_abstention_lies_on_what_was_kept(planted):
    _, (curves, points), _ = planted
    assert len(curves) == len(points) == 2
    assert all(0.6 < coverage < 0.8 and 0 < risk < 0.6 for coverage, risk in points)
    assert all(np.all(np.diff(curve["coverage"]) > 0) for curve in curves)
