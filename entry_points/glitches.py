"""A training for each data set, model, glitch and seed -> which influence signals find which glitch."""

import pandas as pd

from anomaly_mlflow.report.figures.glitches import f1_bars, ratio_curves, time_split
from anomaly_mlflow.report.glitches_page import glitches_page
from anomaly_mlflow.report.glitches_words import pattern_lines
from anomaly_mlflow.studies.glitch_grid import Cell
from anomaly_mlflow.studies.glitch_pattern import judge_pattern
from anomaly_mlflow.studies.glitch_table import (
    SeedResult,
    Summary,
    counts_table,
    seconds_table,
    signals_table,
    summarise,
    wide,
)
from anomaly_mlflow.tracking.lifecycle import upstream_of
from anomaly_mlflow.tracking.run import Run
from entry_points.child_runs import child_runs
from entry_points.environment import environment
from entry_points.glitch_cells import cells_of, check_glitches, options_of, scaled
from entry_points.glitch_checks import check_cells
from entry_points.glitched import GLITCH
from entry_points.influence_options import INFLUENCE
from entry_points.options import as_typed
from entry_points.sample_files import DATA
from entry_points.step import STEPS, Upstream, step
from entry_points.trained import TRAINING

LISTS = ("datasets", "tests", "anomalies", "models", "glitches", "glitch_ratio", "ablations", "grid")
OF_A_CELL = {"dataset", "test", "model", *GLITCH}
SHARED = tuple(name for name in (*DATA, *TRAINING) if name not in OF_A_CELL)
OWN = (*LISTS, *SHARED, *INFLUENCE, "training_seed", "seeds", "draws")


@step("glitches", own=OWN, check=check_glitches)
def glitches(run: Run, options: dict, upstream: Upstream) -> None:
    """Measure how well influence signals find each glitch, cell by cell; if killed, it goes on with the next cell."""
    options = scaled(options)
    cells = cells_of(options)
    variants = [one for cell in cells for one in options_of(cell, options)]
    check_cells(variants)
    made = child_runs("glitch", variants, run)
    seeds = options["seeds"]
    runs = [made[number * seeds : (number + 1) * seeds] for number in range(len(cells))]
    found = {cell: [_result(one) for one in of_cell] for cell, of_cell in zip(cells, runs, strict=True)}
    names = _names({cell.data.dataset: name for cell, ((name, _), *_) in found.items()})
    summaries = [_summary(cell, names, [result for _, result in each], options) for cell, each in found.items()]
    _log(run, options, summaries, made)


def _result(made: Run) -> tuple[str, SeedResult]:
    """Name of the data set, and the figures of one training."""
    facts = made.json("facts.json")
    name, seconds = facts.pop("dataset"), facts.pop("seconds")
    counts = {key: tuple(pair) for key, pair in made.json("counts.json").items()}
    values, draws = pd.read_csv(made.path("measures.csv")), made.frame("draws.parquet")
    return name, SeedResult(values, draws, counts, made.frame("count_draws.parquet"), facts, seconds)


def _names(by_spec: dict[str, str]) -> dict[str, str]:
    """The short names of the data sets, or their specs where two would be called the same."""
    return by_spec if len(set(by_spec.values())) == len(by_spec) else {spec: spec for spec in by_spec}


def _summary(cell: Cell, names: dict[str, str], seeds: list[SeedResult], options: dict) -> Summary:
    key = {"dataset": names[cell.data.dataset], "model": cell.model, "glitch": cell.glitch, "ratio": cell.ratio}
    return summarise(key | {"reference_noise": cell.reference_noise}, seeds, options["seed"])


def _log(run: Run, options: dict, summaries: list[Summary], made: list[Run]) -> None:
    table, counts = signals_table(summaries), counts_table(summaries)
    f1, pattern, seconds = wide(table, summaries), judge_pattern(summaries), seconds_table(summaries)
    run.log_frame(table, "glitches.csv")
    for name, frame in {"f1": f1, "pattern": pattern, "characterisation": counts, "seconds": seconds}.items():
        run.log_frame(frame, f"{name}.csv")
        run.log_table(frame.round(3), f"{name}.json")
    figures = {f"f1/{name}.png": figure for name, figure in f1_bars(table, summaries).items()}
    figures |= {"ratios.png": ratio_curves(table), "seconds.png": time_split(seconds)}
    for name, figure in figures.items():
        if figure is not None:
            run.log_figure(figure, name)
    facts = {**as_typed(options, [name for name in STEPS["glitches"].options]), **environment(), "this run": run.link}
    run.log_text(glitches_page(table, counts, pattern, seconds, f1, summaries, facts), "report.html")
    trained = [name for one in made for name in upstream_of(one)["train_glitched"]]
    run.log_json({"glitch": [one.id for one in made], "train_glitched": trained}, "upstream.json")
    means = f1[(f1["ratio"] == options["glitch_ratio"]) & (f1["reference_noise"] == 0)]
    for glitch, line in means.groupby("glitch")[["cnci", "pcid", "cfrank", "si"]].mean().iterrows():
        run.log_metrics({f"{glitch}.f1.{signal}": value for signal, value in line.items()})
    print(f"\n{_shown(f1)}\n\n" + "\n".join(pattern_lines(pattern)) + f"\n\nrun:    {run.link}")


def _shown(f1: pd.DataFrame) -> str:
    """F1 at known contamination, a line for each cell, for the terminal."""
    columns = [
        "dataset",
        "model",
        "glitch",
        "ratio",
        "test_accuracy",
        "si",
        "mai",
        "gd_class",
        "cnci",
        "pcid",
        "cfrank",
    ]
    return f1[columns].to_string(index=False, float_format=lambda value: f"{value:.3f}")
