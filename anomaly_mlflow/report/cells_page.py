"""The page of the hypotheses: what holds, where it holds and where not."""

from collections.abc import Mapping, Sequence

import pandas as pd

from anomaly_mlflow.report.cell_words import claim_paragraph, short_verdicts
from anomaly_mlflow.report.figures.cells import cells_plot
from anomaly_mlflow.report.page import Section, render_page
from anomaly_mlflow.studies.cell_table import ALL_SEEDS, cell_lines
from anomaly_mlflow.studies.cells import AS_ASKED, Cell
from anomaly_mlflow.studies.claims import CLAIMS

__all__ = ["cells_page"]

RULES = (
    "A claim is supported where its whole interval lies where the claim says, refuted where it lies wholly beyond, and"
    " undecided otherwise. Claims, arms, margins and the primary cell are fixed in the code before any data is seen;"
    " around the primary cell one factor is varied at a time.",
    "Most of what training dynamics add is seeing the given label: the control arm is uncertainty with the final loss"
    " of the given label. It is printed beside H3 and has no vote.",
    "Geometry comes from the clean side, which is trained once for all seeds of the noisy model: cells that concern"
    " images of no class are judged for H1 alone, with one seed, and no interval of H1 contains the randomness of that"
    " training.",
    "Where a claim says that two types are alike, the detector on all signals of the arm and each of these signals by"
    " itself must be equivalent: a detector wastes part of what its signals know on fitting noise.",
)


def cells_page(frame: pd.DataFrame, cells: Sequence[Cell], facts: Mapping[str, object]) -> str:
    """The self-contained page; frame: as `studies.cell_table.all_rows` gives it, cells: those that its rows name."""
    lead = f"In the primary cell: {short_verdicts(frame)}."
    if AS_ASKED.name in set(frame["cell"]):
        lead += " The options that were typed are not those of the primary cell; they are the cell as_asked."
    holds = [claim_paragraph(frame, claim) for claim in CLAIMS]
    plots = [_plot(frame, position) for position in range(len(CLAIMS))]
    what = pd.DataFrame([{"cell": cell.name, "factor": cell.factor, "what it means": cell.sentence} for cell in cells])
    numbers = frame.drop(columns=["factor", "state"])
    whole, single = (numbers[(numbers["seed"] == ALL_SEEDS) == wanted] for wanted in (True, False))
    sections = [
        Section("What holds, and where", holds),
        *plots,
        Section("How to read this", RULES, table=what),
        Section("A line for each cell", table=cell_lines(frame)),
        Section("All numbers", table=whole),
        Section("Each seed by itself", ["95 % intervals over source groups alone."], table=single),
    ]
    return render_page("Where the hypotheses hold", lead, sections, facts)


def _plot(frame: pd.DataFrame, position: int) -> Section:
    claim = CLAIMS[position]
    caption = f"{claim.name} over all cells; the shaded region is where the whole interval must lie."
    return Section(f"{claim.name}: {claim.title}", [claim.statement], [(cells_plot(frame, claim), caption)])
