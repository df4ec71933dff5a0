"""One study for each cell -> where H1, H2 and H3 hold, and where not."""

import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.errors import AnomalyError, BadOption
from anomaly_mlflow.report.cells_page import cells_page
from anomaly_mlflow.report.figures.cells import cells_plot
from anomaly_mlflow.studies.by_seed import auroc_by_seed
from anomaly_mlflow.studies.cell_table import all_rows, cell_lines, not_run, rows_of
from anomaly_mlflow.studies.cells import AS_ASKED, PRIMARY, Cell, source_cell
from anomaly_mlflow.studies.claims import CLAIMS, find_claims
from anomaly_mlflow.studies.hypotheses import judge
from anomaly_mlflow.studies.strangers_sources import only_source, source_names
from anomaly_mlflow.tracking.lifecycle import upstream_of
from anomaly_mlflow.tracking.run import Run
from entry_points.cell_options import cells_of, missing, options_of, scaled
from entry_points.environment import environment
from entry_points.jobs import jobs_of
from entry_points.judge import claim_metrics
from entry_points.judged import read_judged
from entry_points.named_runs import all_needs
from entry_points.options import as_typed
from entry_points.resolve import resolve, resolve_each
from entry_points.step import STEPS, Upstream, step


def check_cells(options: dict) -> None:
    """Raises UnknownName for a cell that there is not, BadOption where a cell's options make no sense together."""
    options = scaled(options)
    if options["claims"] != "all":
        raise BadOption("hypotheses judges all claims; judge takes some of them")
    for cell in cells_of(options):
        if missing(cell, options):
            continue
        made = options_of(cell, options)
        try:
            for name in ("judge", *all_needs(STEPS["judge"], made)):
                STEPS[name].check(made)
        except AnomalyError as error:
            raise BadOption(f"cell {cell.name}: {error}") from None


@step("hypotheses", own=("cells", "scale"), needs=("judge",), check=check_cells, narrow=lambda options: ())
def hypotheses(run: Run, options: dict, upstream: Upstream) -> None:
    """Judge H1, H2, H3 in the primary cell and around it, one factor at a time; if killed, it goes on cell by cell."""
    options = scaled(options)
    cells = cells_of(options)
    judged = _judged([cell for cell in cells if not missing(cell, options)], options, run)
    frames = [
        rows_of(cell, *_frames(judged[cell.name])) if cell.name in judged else not_run(cell, missing(cell, options))
        for cell in cells
    ]
    if "|" in options["ood"]:
        told = _by_source(judged[PRIMARY.name], options)
        cells, frames = [*cells, *(cell for cell, _ in told)], [*frames, *(frame for _, frame in told)]
    _log(run, options, cells, all_rows(frames), judged)


def _judged(cells: list[Cell], options: dict, run: Run) -> dict[str, Run]:
    """A `judge` run for each cell: the primary one first, whose baseline they share, then the others side by side."""
    first = [cell for cell in cells if cell in (AS_ASKED, PRIMARY)]
    others = [cell for cell in cells if cell not in first]
    others.sort(key=lambda cell: cell.factor != "model")  # another model may take longest: it must not begin last
    judged = {}
    with tqdm(total=len(cells), desc="cells", unit="cell", disable=None) as bar:
        for cell in first:
            judged[cell.name] = Run(resolve(STEPS["judge"], options_of(cell, options), run)[0])
            bar.update()
        variants = [options_of(cell, options) | {"bar": 1 + n % jobs_of(options)} for n, cell in enumerate(others)]
        for cell, made in zip(others, resolve_each(STEPS["judge"], variants, run), strict=True):
            judged[cell.name] = Run(made)
            bar.update()
    return {cell.name: judged[cell.name] for cell in cells}


def _frames(made: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    numbers = {name: [""] for name in ("value", "low", "high")}
    return tuple(
        pd.read_csv(made.path(name), keep_default_na=False, na_values=numbers)
        for name in ("verdicts.csv", "auroc_by_seed.csv")
    )


def _by_source(primary: Run, options: dict) -> list[tuple[Cell, pd.DataFrame]]:
    """The primary cell once for each source of images of no class; nothing is trained."""
    made = {name: [Run(one) for one in ids] for name, ids in upstream_of(primary).items()}
    seeds = [one.json("config.json")["training_seed"] for one in made["extract_features"]]
    whole, found = read_judged(made), []
    for name in source_names(whole.ledger):
        cell = source_cell(name)
        features, ledger, groups = only_source(whole.features, whole.ledger, whole.groups, name)
        how = {"seed": options["seed"], "draws": options["draws"], "claims": find_claims(",".join(cell.claims))}
        verdicts = judge(features, ledger, groups, **how)
        found.append((cell, rows_of(cell, verdicts, auroc_by_seed(features, seeds, ledger, groups, **how))))
    return found


def _log(run: Run, options: dict, cells: list[Cell], frame: pd.DataFrame, judged: dict[str, Run]) -> None:
    lines = cell_lines(frame)
    run.log_frame(frame, "verdicts.csv")
    run.log_frame(lines, "cells.csv")
    run.log_table(lines.round(3), "cells.json")
    for claim in CLAIMS:
        run.log_figure(cells_plot(frame, claim), f"{claim.name}.png")
    facts = {
        **as_typed(options, [name for name in STEPS["hypotheses"].options if options[name] is not None]),
        **environment(),
        "this run": run.link,
        **{f"judge, {name}": made.link for name, made in judged.items()},
    }
    run.log_text(cells_page(frame, cells, facts), "report.html")
    run.log_json({"judge": [made.id for made in judged.values()]}, "upstream.json")
    primary = frame[(frame["cell"] == PRIMARY.name) & (frame["seed"] == "all")]
    run.log_metrics(claim_metrics(primary))
    for row in primary[primary["metric"] == "verdict"].itertuples():
        run.tag(f"anomaly.verdict.{row.claim}", row.verdict)
    print(f"\n{_shown(lines)}\n\nrun:    {run.link}")


def _shown(lines: pd.DataFrame) -> str:
    """A line for each cell, for the terminal."""
    shown = [f"{'cell':<32}{'H1':<11}{'H2':<11}{'H3':<11}"]
    for row in lines.itertuples():
        verdicts = "".join(f"{word or '-':<11}" for word in (row.H1, row.H2, row.H3))
        shown.append(f"{row.cell:<32}{row.state if row.state != 'judged' else verdicts}".rstrip())
    return "\n".join(shown)
