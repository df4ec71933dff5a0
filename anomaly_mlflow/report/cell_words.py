"""Where a claim holds and where not, in plain sentences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.report.palette import PLURALS
from anomaly_mlflow.studies.base import Claim, Part, Verdict
from anomaly_mlflow.studies.cell_table import ALL_SEEDS, JUDGED
from anomaly_mlflow.studies.cells import AS_ASKED, PRIMARY

__all__ = ["claim_paragraph", "part_row", "short_verdicts"]

HOLDS = {
    Verdict.SUPPORTED: "holds in the primary cell: supported",
    Verdict.REFUTED: "does not hold in the primary cell: refuted",
    Verdict.UNDECIDED: "is not settled in the primary cell: undecided",
}
WORDS = ("supported", "refuted", "undecided")


def claim_paragraph(frame: pd.DataFrame, claim: Claim) -> str:
    """The verdict of the primary cell with its numbers, then the other cells by their verdicts, then what was not run.

    frame: as `studies.cell_table.all_rows` gives it.
    """
    whole = frame[(frame["claim"] == claim.name) & (frame["metric"] == "verdict")]
    verdicts = dict(zip(whole["cell"], whole["verdict"], strict=True))
    told = [f"{claim.name}, “{claim.title}”, {HOLDS[Verdict(verdicts[PRIMARY.name])]} ({_numbers(frame, claim)})."]
    if AS_ASKED.name in verdicts:
        told.append(f"With the options as typed, which are not the primary cell, it is {verdicts[AS_ASKED.name]}.")
    others = {name: word for name, word in verdicts.items() if name not in (PRIMARY.name, AS_ASKED.name) and word}
    if others:
        told.append(_others(others))
    told += [f"{row.cell} was {row.state}." for row in whole[whole["state"] != JUDGED].itertuples()]
    return " ".join(told)


def short_verdicts(frame: pd.DataFrame) -> str:
    """The verdicts of the primary cell in one line."""
    rows = frame[(frame["cell"] == PRIMARY.name) & (frame["metric"] == "verdict")]
    return ", ".join(f"{row.claim} {row.verdict}" for row in rows.itertuples())


def part_row(frame: pd.DataFrame, cell: str, claim: Claim, part: Part) -> pd.Series | None:
    """The row of a part in a cell, over all seeds; None where the cell was not judged for this claim."""
    own = (frame["cell"] == cell) & (frame["claim"] == claim.name) & (frame["seed"] == ALL_SEEDS)
    found = frame[own & (frame["arm"] == part.arm) & (frame["metric"] == part.metric)]
    return None if found.empty else found.iloc[0]


def _others(verdicts: dict[str, str]) -> str:
    groups = [(word, [name for name, own in verdicts.items() if own == word]) for word in WORDS]
    if len(verdicts) == 1:
        ((name, word),) = verdicts.items()
        return f"In the one sensitivity cell that bears upon it, {name}, it is {word}."
    said = [f"{word} in {len(names)} ({', '.join(names)})" for word, names in groups if names]
    return f"Of the {len(verdicts)} sensitivity cells that bear upon it, it is {_joined(said)}."


def _numbers(frame: pd.DataFrame, claim: Claim) -> str:
    told = [_number(part, part_row(frame, PRIMARY.name, claim, part)) for part in claim.parts]
    own = frame[(frame["cell"] == PRIMARY.name) & (frame["claim"] == claim.name) & (frame["seed"] == ALL_SEEDS)]
    for _, row in own[own["arm"].str.contains(".", regex=False)].iterrows():
        told.append(f"the strongest single signal there, {row['arm']}: AUROC {row['value']:.3f}, {_ends(row)}")
    return "; ".join(told)


def _number(part: Part, row: pd.Series | None) -> str:
    what = f"{PLURALS[part.positives]} from {PLURALS[part.negatives]} by {part.arm.replace(' - ', ' rather than ')}"
    if row is None or np.isnan(row["value"]):
        return f"{what}: too few rows or sources to say"
    value = f"AUROC {row['value']:.3f}" if len(part.arms) == 1 else f"AUROC {row['value']:+.3f}"
    vote = row["verdict"] if part.decides else "without a vote"
    return f"{what}: {value}, {100 * part.level:.0f} % interval {_ends(row)}, {vote}"


def _ends(row: pd.Series) -> str:
    return "unknown for want of sources" if np.isnan(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}"


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
