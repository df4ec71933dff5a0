"""What all cells said, in one table, and a line for each."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.studies.cells import Cell
from anomaly_mlflow.studies.claims import CLAIMS

__all__ = ["ALL_SEEDS", "COLUMNS", "JUDGED", "all_rows", "cell_lines", "not_run", "rows_of"]

COLUMNS = ["cell", "factor", "claim", "arm", "metric", "seed", "value", "low", "high", "n", "verdict", "state"]
ALL_SEEDS, JUDGED = "all", "judged"


def rows_of(cell: Cell, verdicts: pd.DataFrame, by_seed: pd.DataFrame) -> pd.DataFrame:
    """The frames of `judge` (seed `all`) and `auroc_by_seed` (the training seed, no verdict) of one cell, together."""
    whole = verdicts.assign(seed=ALL_SEEDS)
    single = by_seed.assign(seed=by_seed["seed"].astype(str), verdict="")
    rows = pd.concat([whole, single], ignore_index=True).assign(cell=cell.name, factor=cell.factor, state=JUDGED)
    return rows[COLUMNS]


def not_run(cell: Cell, missing: Sequence[str]) -> pd.DataFrame:
    """A row for each claim of a cell that could not be made: no value, no verdict, the reason in `state`."""
    state = f"not run: needs option {' and '.join(missing)}"
    row = {"arm": "all", "metric": "verdict", "seed": ALL_SEEDS, "value": np.nan, "low": np.nan, "high": np.nan, "n": 0}
    rows = [{"cell": cell.name, "factor": cell.factor, "claim": name, **row} for name in cell.claims]
    return pd.DataFrame(rows).assign(verdict="", state=state)[COLUMNS]


def all_rows(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The tables of the cells below one another.

    Columns: cell, factor, claim, arm, metric, seed, value, low, high, n, verdict, state (`judged`, or why it was not).
    """
    return pd.concat(list(frames), ignore_index=True).astype(
        {"n": np.int64, "value": float, "low": float, "high": float}
    )


def cell_lines(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each cell: its state, the verdict on each claim, and the value of each part.

    Columns: cell, factor, state, H1, H2, H3, then for each part `H1 geometry gross_vs_clean.auroc` and the like; empty
    where the cell does not bear upon the claim.
    """
    whole = frame[frame["seed"] == ALL_SEEDS]
    return pd.DataFrame([_line(rows) for _, rows in whole.groupby("cell", sort=False)])


def _line(rows: pd.DataFrame) -> dict[str, object]:
    line = {name: rows[name].iloc[0] for name in ("cell", "factor", "state")}
    verdict = rows[rows["metric"] == "verdict"].set_index("claim")["verdict"]
    line |= {claim.name: verdict.get(claim.name, "") for claim in CLAIMS}
    for claim in CLAIMS:
        for part in claim.parts:
            own = (rows["claim"] == claim.name) & (rows["arm"] == part.arm) & (rows["metric"] == part.metric)
            name = f"{claim.name} {part.arm} {part.metric}"
            line[name] = rows.loc[own, "value"].iloc[0] if own.any() else np.nan
    return line
