"""A training for each reading, augmentation and seed -> when conflicting labels can be told, when they are learnt."""

import numpy as np
import pandas as pd

from anomaly_mlflow.report.figures.memorization import curves_figure, histograms
from anomaly_mlflow.report.memorization_page import memorization_page
from anomaly_mlflow.report.reproduced import beside_lines
from anomaly_mlflow.studies.memorization_claims import SHARE, memorization_report
from anomaly_mlflow.studies.memorization_measures import MEASURES, column
from anomaly_mlflow.studies.memorization_table import Cell, caught_table, curves_table, windows_table
from anomaly_mlflow.studies.report_table import is_reports_data
from anomaly_mlflow.studies.resampled import Resampled, over_seeds
from anomaly_mlflow.tracking.run import Run
from entry_points.child_runs import child_runs
from entry_points.environment import environment
from entry_points.memorization_cells import MemorizationCell, cells_of, check_memorization, options_of
from entry_points.options import as_typed
from entry_points.sample_files import DATA
from entry_points.step import STEPS, Upstream, step
from entry_points.trained import WITHOUT_MODEL


@step(
    "memorization",
    own=("models", "pair", "conflict_share", *DATA, *WITHOUT_MODEL, "training_seed", "seeds", "draws"),
    check=check_memorization,
)
def memorization(run: Run, options: dict, upstream: Upstream) -> None:
    """Train with conflicting labels and find the window in which they can be told; if killed, it goes on."""
    cells = cells_of(options)
    made = child_runs("conflicting_labels", [one for cell in cells for one in options_of(cell, options)], run)
    seeds = options["seeds"]
    runs = [made[number * seeds : (number + 1) * seeds] for number in range(len(cells))]
    found = [_cell(cell, of_cell, options) for cell, of_cell in zip(cells, runs, strict=True)]
    comparable = is_reports_data(_all_classes(cells, runs)) and options["conflict_share"] == SHARE
    drawn = histograms([(cell, *_entropies(cell, of_cell)) for cell, of_cell in zip(found, runs, strict=True)])
    _log(run, options, found, made, drawn, comparable=comparable)


def _cell(cell: MemorizationCell, runs: list[Run], options: dict) -> Cell:
    facts = runs[0].json("facts.json")
    figures = over_seeds([_figures(one) for one in runs], options["seed"])
    counts = {name: facts[name] for name in ("epochs", "rows", "conflicting", "test_rows")}
    return Cell({"dataset": facts["dataset"]} | cell.key, figures, len(runs), **counts)


def _figures(made: Run) -> Resampled:
    values = made.frame("measures.parquet", {"figure": str, "value": object})
    return Resampled(values.set_index("figure")["value"], made.frame("draws.parquet"))


def _all_classes(cells: list[MemorizationCell], runs: list[list[Run]]) -> list[str]:
    whole = next(of_cell for cell, of_cell in zip(cells, runs, strict=True) if cell.pair is None)
    return whole[0].json("facts.json")["classes"]


def _entropies(cell: Cell, runs: list[Run]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entropy at the peak of the window (without one: in the middle) and at the end, and who conflicts; all seeds."""
    peak = cell.window.peak if cell.window else (cell.epochs - 1) // 2
    names = [f"entropy.{peak}", f"entropy.{cell.epochs - 1}"]
    scores = pd.concat([one.frame("scores.parquet") for one in runs])
    conflicting = pd.concat([one.frame("truth.parquet", {"conflicting": object}) for one in runs])["conflicting"]
    return scores[names[0]].to_numpy(), scores[names[1]].to_numpy(), conflicting.to_numpy(bool)


def _log(run: Run, options: dict, cells: list[Cell], made: list[Run], drawn: object, *, comparable: bool) -> None:
    curves, windows, caught = curves_table(cells), windows_table(cells), caught_table(cells)
    beside = memorization_report(cells, comparable=comparable)
    for name, frame in {"curves": curves, "windows": windows, "caught": caught, "report_table": beside}.items():
        run.log_frame(frame, f"{name}.csv")
        run.log_table(frame.round(4), f"{name}.json")
    figure = curves_figure(cells)
    run.log_figure(figure, "curves.png")
    run.log_figure(drawn, "histograms.png")
    for cell in cells:
        _log_curves(run, cell)
    facts = {**as_typed(options, STEPS["memorization"].options), **environment(), "this run": run.link}
    run.log_text(memorization_page(cells, windows, caught, beside, curves, (figure, drawn), facts), "report.html")
    run.log_json({"conflicting_labels": [one.id for one in made]}, "upstream.json")
    print(f"\n{windows.to_string(index=False, float_format=_short)}\n\n{beside_lines(beside)}\n\nrun:    {run.link}")


def _log_curves(run: Run, cell: Cell) -> None:
    """Means over seeds as metrics, a step for each epoch from 1, so that the UI draws and compares them."""
    key = "/".join(cell.key[name].replace(" ", "_").replace(":", "-") for name in ("model", "reading", "augmentation"))
    for epoch in range(cell.epochs):
        run.log_metrics({f"{key}/{name}": cell.figures.value[column(epoch, name)] for name in MEASURES}, epoch + 1)


def _short(value: float) -> str:
    return f"{value:.3f}"
