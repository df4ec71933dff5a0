"""Noises and seeds -> how well every cleaner finds and mends wrong labels, and what training on them gains."""

from itertools import pairwise

import numpy as np
import pandas as pd

from anomaly_mlflow.report.anchors_section import anchor_sections, place_lines
from anomaly_mlflow.report.cleaners_page import best_lines, cleaners_page, repair_section
from anomaly_mlflow.report.figures.anchor_ablation import ablation_dots
from anomaly_mlflow.report.figures.cleaners import cleaner_bars
from anomaly_mlflow.report.figures.repair_curve import wrong_labels
from anomaly_mlflow.studies.anchor_comparison import ablation_table, baselines_table
from anomaly_mlflow.studies.cleaner_grid import Noise
from anomaly_mlflow.studies.cleaner_table import NoiseResult, cleaners_table, summarise, wide_table
from anomaly_mlflow.studies.repair_measures import MEASURES
from anomaly_mlflow.studies.resampled import Resampled
from anomaly_mlflow.tracking.run import Run
from entry_points.child_runs import child_runs
from entry_points.cleaner_cells import check_cleaners, noises_of, options_of, retrainings_of
from entry_points.environment import environment
from entry_points.options import as_typed
from entry_points.repair_curves import repair_curves
from entry_points.retrainings import retrained
from entry_points.step import STEPS, Upstream, step

REPAIR = ("cleaner_names", "repair_cap", "repair_confidence", "repair_floor")
"""Options of the repair beside the single cleaners: its figures are without the floor, its retrainings with it."""


@step(
    "cleaners",
    own=("noises", "seeds", "retrainings", "retrain_seed", *REPAIR),
    needs=("score_cleaners",),
    check=check_cleaners,
    narrow=lambda options: (),
)
def cleaners(run: Run, options: dict, upstream: Upstream) -> None:
    """Measure what every cleaner is worth on several noises; if killed, it goes on with the next noise and seed."""
    noises = noises_of(options)
    variants = [options_of(noise, options) for noise in noises]
    child_runs("train_baseline", variants[0], run, unit="baseline")  # all noises of a seed share it: made once
    scored = _by_noise(child_runs("score_cleaners", [one for of_noise in variants for one in of_noise], run), variants)
    results = [_result(noise, runs, options) for noise, runs in zip(noises, scored, strict=True)]
    table, curves = cleaners_table(results), repair_curves(noises, scored, options)
    asked = retrainings_of(options)
    gains, trained = retrained(run, noises, variants, asked, options) if asked else (None, [])
    _log(run, options, results, table, gains, *curves)
    made = {"score_cleaners": [one.id for runs in scored for one in runs], "retrain": trained}
    run.log_json({name: ids for name, ids in made.items() if ids}, "upstream.json")


def _by_noise(made: list[Run], variants: list[list[dict]]) -> list[list[Run]]:
    """The runs, noise by noise."""
    ends = np.cumsum([0, *(len(of_noise) for of_noise in variants)])
    return [made[start:end] for start, end in pairwise(ends)]


def _result(noise: Noise, runs: list[Run], options: dict) -> NoiseResult:
    facts = [one.json("facts.json") for one in runs]
    rates = [{name: one[name] for name in ("rate", "rows")} for one in facts]
    figures = [_figures(one) for one in runs]
    unanswered = {name: why for one in facts for name, why in one["unanswered"].items()}
    return summarise(noise.name, figures, rates, [one["seconds"] for one in facts], options["seed"], unanswered)


def _figures(made: Run) -> Resampled:
    values = made.frame("measures.parquet", {"figure": str, "value": object})
    return Resampled(values.set_index("figure")["value"], made.frame("draws.parquet"))


def _log(
    run: Run,
    options: dict,
    results: list[NoiseResult],
    table: pd.DataFrame,
    gains: pd.DataFrame | None,
    curve: pd.DataFrame | None,
    why_no_curve: str,
) -> None:
    lines, baselines, ablation = wide_table(table), baselines_table(results), ablation_table(results)
    run.log_frame(table, "cleaners.csv")
    run.log_table(lines.round(4), "cleaners.json")
    tables = {"retrained": gains, "repair": curve, "anchors": baselines, "anchor_ablation": ablation}
    tables = {name: frame for name, frame in tables.items() if frame is not None and len(frame)}
    for name, frame in tables.items():
        run.log_frame(frame, f"{name}.csv")
        run.log_table(frame.round(4), f"{name}.json")
    figures = {"average_precision": cleaner_bars(table)}
    if "anchor_ablation" in tables:
        figures["anchor_ablation"] = ablation_dots(ablation)
    if curve is not None:
        figures["wrong_labels"] = wrong_labels(curve)
    for name, figure in figures.items():
        run.log_figure(figure, f"{name}.png")
    facts = {**as_typed(options, STEPS["cleaners"].options), **environment(), "this run": run.link}
    further = [
        repair_section(curve, figures.get("wrong_labels"), why_no_curve),
        *anchor_sections(baselines, ablation, figures.get("anchor_ablation")),
    ]
    page = cleaners_page(results, table, lines, gains, figures["average_precision"], facts, further)
    run.log_text(page, "report.html")
    found = table[(table["measure"] == "average_precision") & table["value"].notna()]
    run.log_metrics({f"{one.noise.replace(' ', '_')}/{one.cleaner}": one.value for one in found.itertuples()})
    told = (lines, *(tables[name] for name in ("retrained", "anchors") if name in tables))
    told = [*told, why_no_curve] if curve is None else [*told, curve[["noise", "repair_confidence", *MEASURES]]]
    shown = [one if isinstance(one, str) else one.to_string(index=False, float_format=_short) for one in told]
    print("\n" + "\n\n".join([*shown, *best_lines(lines), *place_lines(baselines)]) + f"\n\nrun:    {run.link}")


def _short(value: float) -> str:
    return f"{value:.3f}"
