"""What the page says of anchor hallucination, from planted tables."""

import pandas as pd

from anomaly_mlflow.report.anchors_section import anchor_sections, place_lines
from anomaly_mlflow.report.figures.anchor_ablation import ablation_dots
from anomaly_mlflow.report.page import render_page

NOTHING = pd.DataFrame()


def baselines(low, high):
    keys = {"noise": "asymmetric 0.4", "cleaner": "anchors_learned", "measure": "mended", "seeds": 3}
    values = {"value": 0.5, "value_beside": 0.4, "difference": (low + high) / 2, "low": low, "high": high}
    return pd.DataFrame([keys | {"beside": other} | values for other in ("anchors_linear", "classifier_argmax")])


def ablation():
    rows = []
    for noise in ("asymmetric 0.4", "costs $5 & <b>"):
        for kind in ("anchors_linear", "anchors_learned"):
            for setting, value in (("lambda_p", "0.5"), ("lambda_p", "0.8"), ("balanced", "no")):
                for measure in ("mended", "broken"):
                    keys = {"noise": noise, "cleaner": kind, "setting": setting, "value_of_setting": value}
                    values = {"value": 0.5, "default": 0.4, "difference": 0.1, "low": 0.0, "high": 0.2, "seeds": 1}
                    rows.append(keys | {"measure": measure} | values)
    return pd.DataFrame(rows)


def test_a_sentence_says_whether_the_hallucinator_earns_its_place():
    said = place_lines(baselines(0.05, 0.2))[0]
    assert said.startswith(
        "asymmetric 0.4: the learned hallucinator earns its place: ahead of both baselines in mended"
    )
    said = place_lines(baselines(-0.05, 0.2))[0]
    assert "does not earn its place: ahead of both baselines in nothing, behind in nothing" in said
    said = place_lines(baselines(-0.2, -0.05))[0]
    assert "behind in mended beside anchors_linear, mended beside classifier_argmax." in said
    assert place_lines(NOTHING) == []


def test_sections_are_there_where_there_is_something_to_tell():
    assert list(anchor_sections(NOTHING, NOTHING, None)) == []
    both = anchor_sections(baselines(0.05, 0.2), ablation(), ablation_dots(ablation()))
    assert [one.title for one in both] == [
        "Does the learned hallucinator earn its place?",
        "Settings of anchor hallucination",
    ]
    page = render_page("Anchors", "", both, {})
    assert "earns its place: ahead" in page and "data:image/png" in page and "<b>" not in page


def test_the_figure_has_a_panel_for_each_noise_and_measure_and_a_line_for_each_setting():
    figure = ablation_dots(ablation())
    assert len(figure.axes) == 4
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [
        "balanced = no", "lambda_p = 0.8", "lambda_p = 0.5"
    ]  # fmt: skip
    assert all(len(axes.containers) == 6 for axes in figure.axes)
    figure.savefig("/dev/null", format="png")
