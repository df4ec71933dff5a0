"""Feature tables and ledger -> the best detector by Optuna, its trials as child runs, and a registered model."""

import hashlib
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.detection.champion import MEASURES, Fitted, Outcome, compare, refit, with_best_threshold
from anomaly_mlflow.detection.labelled import Labelled
from anomaly_mlflow.detection.objective import Development, put_aside
from anomaly_mlflow.detection.saved import save_detector
from anomaly_mlflow.detection.search_space import Candidate, candidate, default_parameters, families_of
from anomaly_mlflow.detection.sweep import sweep as search
from anomaly_mlflow.detection.task_rows import labelled
from anomaly_mlflow.detection.trials import finished
from anomaly_mlflow.report.figures.trials import trial_figures
from anomaly_mlflow.report.model_card import model_card
from anomaly_mlflow.report.page import Section, render_page
from anomaly_mlflow.tracking.registry import register_detector
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.trial_runs import TrialRuns
from entry_points.environment import environment
from entry_points.judged import read_judged
from entry_points.options import OPTIONS, as_typed
from entry_points.step import STEPS, Upstream, step
from entry_points.work_folder import work_folder

ROOT = Path(__file__).resolve().parent.parent
OWN = ("seed", "seeds", "draws", "trials", "workers", "target", "storage")


@step("sweep", own=OWN, needs=("generate_noise", "extract_features"))
def sweep(run: Run, options: dict, upstream: Upstream) -> None:
    """Search for the best detector; compare it once with the default one on untouched rows; register it."""
    judged = read_judged(upstream)
    data = labelled(judged.features, judged.ledger, judged.groups, options["target"])
    development, untouched = put_aside(data, options["seed"])
    study = _search(run, options, development)
    seed, chosen = options["seed"], candidate(study.best_params)
    default = with_best_threshold(candidate(default_parameters(families_of(data.columns))), development)
    best = refit(chosen, development.data, seed)
    outcome = compare(best, refit(default, development.data, seed), untouched, seed=seed, draws=options["draws"])
    table = _outcome_table(outcome)
    name = _name(upstream, options["target"])
    facts = _facts(options, data, development, untouched)
    card = model_card(name, options["target"], chosen, outcome, {**facts, "run": run.link})
    _publish(run, name, best, card, outcome, untouched)
    run.log_frame(table, "comparison.csv")
    run.log_table(table.round(4), "comparison.json")
    run.log_metrics({f"untouched_{key}": ends.value for key, ends in outcome.best.items()})
    run.log_metrics({f"default_{key}": ends.value for key, ends in outcome.default.items()})
    run.tag("anomaly.verdict.sweep", outcome.verdict)
    _report(run, options, study, table, _lead(chosen, outcome), facts)
    if "mlflow.parentRunId" not in run.tags:
        print(table.round(3).to_string(index=False))
        print(_lead(chosen, outcome))


def _search(run: Run, options: dict, development: Development) -> optuna.Study:
    """All trials of the sweep; each a child run as soon as it is done."""
    name = f"sweep-{run.id}"
    runs = TrialRuns(run, name)
    with tqdm(total=options["trials"], desc="sweep", unit="trial", disable=None) as bar:

        def note(number: int, trial: optuna.trial.FrozenTrial) -> None:
            metrics = {} if trial.value is None else {"f1": trial.value}
            state, steps = trial.state.name.lower(), trial.intermediate_values
            runs.note(number, state, trial.params, metrics, steps, trial.datetime_start, trial.datetime_complete)
            bar.update()

        return search(
            development,
            place=options["storage"] or str(work_folder(run) / "trials.journal"),
            name=name,
            trials=options["trials"],
            workers=options["workers"],
            on_trial=note,
        )


def _name(upstream: Upstream, target: str) -> str:
    """`detector-<dataset>-<model>`, after the registered model whose signals these are; with another target its name.

    Detectors of different targets do not compete for `@champion`.
    """
    noisy = Run(upstream["extract_features"][0].json("upstream.json")["train_noisy"][0])
    name = noisy.tags["anomaly.model"].split("/")[1].removeprefix("noisy-")
    return f"detector-{name}" if target == OPTIONS["target"].default else f"detector-{name}-{target}"


def _publish(run: Run, name: str, best: Fitted, card: str, outcome: Outcome, untouched: Labelled) -> None:
    folder = work_folder(run) / "detector"
    save_detector(best, folder)
    (folder / "model_card.md").write_text(card)
    for file in sorted(folder.iterdir()):
        run.log_file(file, "detector")
    judged_on = hashlib.sha256(untouched.sample_id.tobytes())
    judged_on.update(untouched.positive.tobytes())
    register_detector(
        run,
        name,
        folder,
        serving_code=ROOT / "entry_points" / "served_detector.py",
        packages=[ROOT / "anomaly_mlflow"],
        columns=best.columns,
        card=card,
        f1=outcome.best["f1"].value,
        test_set=judged_on.hexdigest(),
    )


def _report(run: Run, options: dict, study: optuna.Study, table: pd.DataFrame, lead: str, facts: dict) -> None:
    trials = _trial_table(study)
    run.log_frame(trials, "trials.csv")
    figures = trial_figures(study, options["seed"])
    for name, figure in figures.items():
        run.log_figure(figure, f"{name}.png")
    words = "Grouped cross-validated F1 on the development rows; a trial that fell behind was pruned."
    sections = [
        Section(
            "On untouched rows", ["The best detector of the search, the default one, and their difference."], (), table
        ),
        Section("Trials", [words], [(figure, name.replace("_", " ")) for name, figure in figures.items()], trials),
    ]
    made = {**facts, **as_typed(options, STEPS["sweep"].options), **environment(), "run": run.link}
    run.log_text(render_page("Sweep over detectors", lead, sections, made), "report.html")


def _trial_table(study: optuna.Study) -> pd.DataFrame:
    """One row per trial that counts: number, state, F1 (of a pruned one so far), seconds, parameters."""
    rows = []
    for number, trial in sorted(finished(study).items()):
        so_far = trial.intermediate_values[max(trial.intermediate_values)] if trial.intermediate_values else np.nan
        f1 = so_far if trial.value is None else trial.value
        seconds = (trial.datetime_complete - trial.datetime_start).total_seconds()
        rows.append({"number": number, "state": trial.state.name.lower(), "f1": f1, "seconds": seconds, **trial.params})
    return pd.DataFrame(rows)


def _outcome_table(outcome: Outcome) -> pd.DataFrame:
    rows = []
    for name in MEASURES:
        for side in ("best", "default", "difference"):
            ends = getattr(outcome, side)[name]
            rows.append((name, side, ends.value, ends.low, ends.high))
    return pd.DataFrame(rows, columns=["measure", "detector", "value", "low", "high"])


def _facts(options: dict, data: Labelled, development: Development, untouched: Labelled) -> dict[str, object]:
    return {
        "data": options["dataset"],
        "task": options["target"],
        "rows": f"{len(data.positive)} ({int(data.positive.sum())} positive)",
        "development rows": len(development.data.positive),
        "untouched rows": len(untouched.positive),
        "seeds of the noisy model": len(data.X),
        "signals offered": len(data.columns),
        "trials": options["trials"],
    }


def _lead(chosen: Candidate, outcome: Outcome) -> str:
    best, default, gain = outcome.best["f1"], outcome.default["f1"], outcome.difference["f1"]
    return (
        f"The best detector ({chosen.detector.replace('_', ' ')} on {', '.join(chosen.families)}) reaches F1"
        f" {best.value:.3f} on untouched rows, the default one (logistic regression, all signals, tuned threshold)"
        f" {default.value:.3f}: difference {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}], {outcome.verdict}."
    )
