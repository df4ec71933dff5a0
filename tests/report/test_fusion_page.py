import re

from planted_fusion import PAIRS, REPORTED, result

from anomaly_mlflow.report.figures.fusion import factor_curves, share_bars
from anomaly_mlflow.report.fusion_page import fusion_page
from anomaly_mlflow.report.fusion_words import claim_lines
from anomaly_mlflow.studies.fusion_claims import fusion_report, judge_claims
from anomaly_mlflow.studies.fusion_grid import Cell
from anomaly_mlflow.studies.fusion_shares import attribution_table, facts_table, seeds_table, shares_table

FAST = {"draws": 100}
RESULTS = [
    result(REPORTED),
    result((300, 150, 50), Cell("consistent_share", 0.9)),
    result((200, 264, 36), Cell("modality_dropout", 0.5)),
    result((20, 440, 40), Cell("modalities", "image")),
]


def tables(results):
    return {
        "shares": shares_table(results, PAIRS, **FAST),
        "by_training": seeds_table(results),
        "attribution": attribution_table(results, PAIRS, **FAST),
        "accuracies": facts_table(results),
        "claims": judge_claims(results, PAIRS, **FAST),
        "report_table": fusion_report(results, PAIRS, "CIFAR-10, convnet", comparable=True, **FAST),
    }


def test_the_page_begins_with_the_reports_figures_and_says_what_holds():
    page = fusion_page(tables(RESULTS), "digits, convnet", {"seed": 0})
    lead, first, second = (page.split(f'id="section-{number}"')[0] for number in (1, 2, 3))
    assert "answers 81.6 % (95 % interval " in lead and "of 500 contradictory pairs" in lead
    assert "neither class" in first and "yes" in first
    assert "modality_dropout=0.5: it holds" in second and "none of the cells bears upon it" in second
    assert page.count("<img") == 2


def test_every_share_of_the_table_stands_on_the_page():
    found = tables(RESULTS)
    page = fusion_page(found, "digits, convnet", {})
    for row in found["shares"].itertuples():
        assert f"{row.value:.3f}" in page


def test_bars_fill_the_whole_and_their_lines_are_the_intervals():
    table = tables(RESULTS)["shares"]
    axes = share_bars(table).axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    assert sum(widths) == 4.0 or abs(sum(widths) - 4) < 1e-9
    first = axes.collections[0].get_segments()[0][:, 0].tolist()
    row = table.iloc[0]
    assert first == [row["low"], row["high"]]
    last = axes.collections[1].get_segments()[0][:, 0].tolist()
    assert last == [1 - table.iloc[2]["high"], 1 - table.iloc[2]["low"]]


def test_a_factors_curve_goes_through_the_plain_training():
    axes = factor_curves(tables(RESULTS)["shares"]).axes
    panels = {one.get_title(loc="left"): one for one in axes if one.lines}
    metadata = panels["share of consistent training pairs"].lines[0]
    assert metadata.get_xdata().tolist() == [0.9, 1.0]
    assert [round(value, 3) for value in metadata.get_ydata()] == [0.6, 0.816]
    assert panels["modality dropout"].lines[0].get_xdata().tolist() == [0.0, 0.5]


def test_without_another_level_there_are_no_curves():
    assert factor_curves(tables([RESULTS[0], RESULTS[3]])["shares"]) is None


def test_a_terminal_gets_a_line_for_each_claim_and_cell():
    lines = claim_lines(tables(RESULTS)["claims"])
    assert len(lines) == 3
    assert re.match(r"F1 supported  \+0.816 \[\+0.7\d\d, \+0.8\d\d\]  plain$", lines[0])
