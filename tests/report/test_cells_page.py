"""What holds, where it holds and where not: the words, the figure and the page."""

import io
import re

import numpy as np
import pytest
import synthetic

from anomaly_mlflow.report.cell_words import claim_paragraph
from anomaly_mlflow.report.cells_page import cells_page
from anomaly_mlflow.report.figures.cells import cells_plot
from anomaly_mlflow.studies.by_seed import auroc_by_seed
from anomaly_mlflow.studies.cell_table import all_rows, cell_lines, not_run, rows_of
from anomaly_mlflow.studies.cells import AS_ASKED, PRIMARY, cells_around, source_cell
from anomaly_mlflow.studies.claims import CLAIMS, find_claims
from anomaly_mlflow.studies.hypotheses import judge
from anomaly_mlflow.studies.strangers_sources import only_source, source_names

AROUND = {cell.name: cell for cell in cells_around("convnet", "photographs")}
BOUNDARY, RATERS, KEPT = (AROUND[name] for name in ("hard_by=boundary", "hard_by=raters", "ood_label=kept"))


def rows(cell, shifts, seeds=(7, 8)):
    truth = synthetic.ledger()
    frames, groups = synthetic.whole(synthetic.features(truth, shifts)), np.arange(len(truth))
    how = {"draws": 50, "claims": find_claims(",".join(cell.claims))}
    return rows_of(cell, judge(frames, truth, groups, **how), auroc_by_seed(frames, seeds, truth, groups, **how))


@pytest.fixture(scope="module")
def frame():
    reversed_ = {"uncertainty.entropy": {"near_miss": 2.0}}
    told = [rows(PRIMARY, reversed_), rows(BOUNDARY, synthetic.AS_CLAIMED), not_run(RATERS, ["raters"])]
    return all_rows([*told, rows(KEPT, reversed_)])


def test_every_seed_has_its_own_auroc_and_their_mean_is_that_of_all(frame):
    own = frame[(frame["cell"] == "primary") & (frame["claim"] == "H2") & (frame["arm"] == "uncertainty")]
    single = own[own["seed"].isin(["7", "8"])]
    whole = own[(own["seed"] == "all") & (own["metric"] == "near_miss_vs_hard.auroc")]
    assert len(single) == 2 and set(single["verdict"]) == {""} and (single["low"] < single["value"]).all()
    assert single["value"].mean() == pytest.approx(whole["value"].item())


def test_the_words_say_where_a_claim_holds_where_not_and_what_was_not_run(frame):
    said = claim_paragraph(frame, CLAIMS[1])
    assert said.startswith("H2, “Uncertainty alone cannot tell")
    assert "does not hold in the primary cell: refuted" in said and "90 % interval" in said
    assert "In the one sensitivity cell that bears upon it, hard_by=boundary, it is" in said
    assert said.endswith("hard_by=raters was not run: needs option raters.")
    assert "Of the 2 sensitivity cells" in claim_paragraph(frame, CLAIMS[0])


def test_what_was_asked_for_otherwise_is_told_apart_from_the_primary_cell(frame):
    asked = frame[frame["cell"] == "hard_by=boundary"].assign(cell=AS_ASKED.name)
    both = all_rows([asked, frame])
    verdict = asked[(asked["claim"] == "H2") & (asked["metric"] == "verdict")]["verdict"].item()
    assert f"which are not the primary cell, it is {verdict}." in claim_paragraph(both, CLAIMS[1])
    assert "they are the cell as_asked" in cells_page(both, [AS_ASKED, PRIMARY], {})


def test_a_line_for_each_cell_has_a_verdict_for_each_claim_it_bears_upon(frame):
    lines = cell_lines(frame).set_index("cell")
    assert list(lines.index) == ["primary", "hard_by=boundary", "hard_by=raters", "ood_label=kept"]
    assert lines.loc["primary", "H2"] == "refuted" and lines.loc["ood_label=kept", "H2"] == ""
    assert lines.loc["hard_by=raters", "state"] == "not run: needs option raters"
    assert lines["H2 uncertainty near_miss_vs_hard.auroc"].notna().tolist() == [True, True, False, False]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_the_figure_has_a_panel_for_each_part_and_a_line_for_each_cell(frame, claim):
    figure = cells_plot(frame, claim)
    assert len(figure.axes) == len(claim.parts)
    cells = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert cells == list(frame[frame["claim"] == claim.name]["cell"].unique())
    for axes in figure.axes:
        assert [text.get_text() for text in axes.texts] == [" not run: needs option raters"]


def test_a_dollar_in_the_name_of_a_cell_is_no_formula(frame):
    named = frame.assign(cell=frame["cell"].replace(BOUNDARY.name, "ood=imagefolder:/x/$a_{$"))
    cells_plot(named, CLAIMS[0]).savefig(io.BytesIO())


def test_the_page_begins_with_what_holds_and_needs_no_other_file(frame):
    page = cells_page(frame, [PRIMARY, BOUNDARY, RATERS, KEPT], {"draws": 50})
    assert page.index("What holds, and where") < page.index("data:image/png")
    words = re.sub(r"base64,[^\"]*", "", page.split("</style>")[1])
    assert page.count("data:image/png") == 3 and "http" not in page and not re.search(r"\bnan\b", words)


def test_images_of_no_class_are_judged_source_by_source_beside_all_others():
    truth = synthetic.ledger()
    strange = truth["anomaly_type"] == "ood"
    number = np.arange(len(truth))
    truth["source"] = np.where(strange, np.where(number % 2, "noise#1", "photographs:china.jpg#2"), "")
    assert source_names(truth) == ["noise", "photographs"]
    frames, ledger, groups = only_source(synthetic.whole(synthetic.features(truth)), truth, number, "noise")
    assert set(ledger.loc[ledger["anomaly_type"] == "ood", "source"]) == {"noise#1"}
    assert len(ledger) == len(groups) == len(frames[0]) == (~strange).sum() + (strange & (number % 2 == 1)).sum()
    found = judge(frames, ledger, groups, draws=50, claims=find_claims("H1"))
    assert found["verdict"].iloc[1] == "supported" and source_cell("noise").claims == ("H1",)
