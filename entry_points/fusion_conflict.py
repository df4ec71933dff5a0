"""A fusion network for each cell and seed -> which source it follows where image and metadata contradict each other."""

import numpy as np
import pandas as pd

from anomaly_mlflow.report.figures.fusion import factor_curves, share_bars
from anomaly_mlflow.report.fusion_page import fusion_page
from anomaly_mlflow.report.fusion_words import claim_lines
from anomaly_mlflow.studies.fusion_claims import fusion_report, judge_claims
from anomaly_mlflow.studies.fusion_grid import Cell
from anomaly_mlflow.studies.fusion_shares import (
    CellResult,
    Pairs,
    attribution_table,
    facts_table,
    outcomes,
    seeds_table,
    shares_table,
)
from anomaly_mlflow.studies.report_table import is_reports_data
from anomaly_mlflow.tracking.run import Run
from entry_points.child_runs import child_runs
from entry_points.environment import environment
from entry_points.fusion import EPOCHS, TRAINED
from entry_points.fusion_cells import LEVELS, cells_of, check_fusion, options_of
from entry_points.options import as_typed
from entry_points.sample_files import DATA
from entry_points.step import STEPS, Upstream, step

__all__ = ["fusion_conflict"]

OWN = (*DATA, *TRAINED, *LEVELS, "pairs", "training_seed", "seeds", "draws")
KINDS = ("conflict", "consistent")


@step("fusion_conflict", own=OWN, check=check_fusion)
def fusion_conflict(run: Run, options: dict, upstream: Upstream) -> None:
    """Measure which source a fused network follows, cell by cell; if killed, it goes on with the next training."""
    cells, seeds = cells_of(options), options["seeds"]
    made = child_runs("fusion", [one for cell in cells for one in options_of(cell, options)], run)
    pairs = _pairs(made[0])
    runs = [made[number * seeds : (number + 1) * seeds] for number in range(len(cells))]
    results = [_result(cell, of_cell, pairs) for cell, of_cell in zip(cells, runs, strict=True)]
    comparable = is_reports_data(made[0].json("facts.json")["classes"])
    _log(run, options, results, pairs, _setting(made[0], options), comparable=comparable)
    run.log_json({"fusion": [one.id for one in made]}, "upstream.json")


def _pairs(made: Run) -> Pairs:
    """The contradictory pairs, which are those of every training."""
    frame = made.frame("pairs.parquet", {"image_class": int, "metadata_class": int, "group": int})
    return Pairs(*(frame[name].to_numpy() for name in ("image_class", "metadata_class", "group")))


def _result(cell: Cell, made: list[Run], pairs: Pairs) -> CellResult:
    frames = [one.frame("pairs.parquet", {"predicted": int}) for one in made]
    outcome = np.stack([outcomes(frame["predicted"].to_numpy(), pairs) for frame in frames])
    attribution = {kind: np.stack([frame[f"attribution_{kind}"].to_numpy() for frame in frames]) for kind in KINDS}
    return CellResult(cell, outcome, attribution, [one.json("facts.json")["facts"] for one in made])


def _setting(made: Run, options: dict) -> str:
    """Data, encoder and length of the trainings, in words."""
    facts, epochs = made.json("facts.json"), options["epochs"] or EPOCHS
    data = f"{facts['dataset']}, {facts['images']:,} training images"
    return f"{data}, {options['encoder']}, {epochs} epochs, {options['seeds']} trainings"


def _log(run: Run, options: dict, results: list[CellResult], pairs: Pairs, setting: str, *, comparable: bool) -> None:
    how = {"draws": options["draws"], "seed": options["seed"]}
    tables = {
        "shares": shares_table(results, pairs, **how),
        "by_training": seeds_table(results, options["training_seed"]),
        "attribution": attribution_table(results, pairs, **how),
        "accuracies": facts_table(results),
        "claims": judge_claims(results, pairs, **how),
        "report_table": fusion_report(results, pairs, setting, comparable=comparable, **how),
    }
    for name, frame in tables.items():
        run.log_frame(frame, f"{name}.csv")
        run.log_table(frame.round(4), f"{name}.json")
    run.log_figure(share_bars(tables["shares"]), "shares.png")
    if (curves := factor_curves(tables["shares"])) is not None:
        run.log_figure(curves, "factors.png")
    facts = {**as_typed(options, STEPS["fusion_conflict"].options), **environment(), "this run": run.link}
    run.log_text(fusion_page(tables, setting, facts), "report.html")
    run.log_metrics(_metrics(tables["shares"]))
    print(f"\n{_shown(tables['shares'])}\n\n" + "\n".join(claim_lines(tables["claims"])) + f"\n\nrun:    {run.link}")


def _metrics(table: pd.DataFrame) -> dict[str, float]:
    """`cell.outcome` -> share, in names that MLflow takes."""
    named = table["cell"].str.replace("=", "_").str.replace(" ", "_") + "." + table["outcome"]
    return dict(zip(named, table["value"], strict=True))


def _shown(table: pd.DataFrame) -> str:
    """The three shares of each cell, for the terminal."""
    lines = table.pivot(index="cell", columns="outcome", values="value").loc[table["cell"].unique()]
    return lines[table["outcome"].unique()].to_string(float_format=lambda value: f"{value:.3f}")
