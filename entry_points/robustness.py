"""Models under growing damage to their test images -> decay curves, cost of equal distortion, the report beside."""

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.anomalies.graded_corruptions import Corruption, chosen_corruptions, corrupted
from anomaly_mlflow.anomalies.perceptual import structural_similarity
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.data.split import at_most
from anomaly_mlflow.report.figures.decay import decay_figure, equal_figure
from anomaly_mlflow.report.reproduced import beside_lines
from anomaly_mlflow.report.robustness_page import robustness_page
from anomaly_mlflow.studies.decay import MEASURES, Decay, measure_decay
from anomaly_mlflow.studies.decay_table import decay_table, equal_table, summary_table
from anomaly_mlflow.studies.report_table import is_reports_data
from anomaly_mlflow.studies.robustness_claims import robustness_report
from anomaly_mlflow.tracking.run import Run
from entry_points.child_runs import child_runs
from entry_points.environment import environment
from entry_points.options import as_typed
from entry_points.robustness_models import check_robustness, names_of, variants_of
from entry_points.sample_files import DATA
from entry_points.step import STEPS, Upstream, step
from entry_points.trained import WITHOUT_MODEL

LOOKED_AT = 2000
"""Test images whose similarity is computed: the mean of so many is known to the third digit."""


@step(
    "robustness",
    own=("models", "corruptions", *DATA, *WITHOUT_MODEL, "training_seed", "seeds", "draws"),
    check=check_robustness,
)
def robustness(run: Run, options: dict, upstream: Upstream) -> None:
    """Measure how models decay as test images are damaged: noise, blur and more; if killed, it goes on where it was."""
    test = load_split(options["dataset"], **{name: options[name] for name in DATA if name != "dataset"})[1]
    corruptions = chosen_corruptions(options["corruptions"])
    names = names_of(options)
    variants = {name: variants_of(name, options) for name in names}
    made = child_runs("decay_curves", [one for each in variants.values() for one in each], run, unit="model")
    similarity = _similarity(test, corruptions, options["seed"])
    decays, start = [], 0
    for name in names:
        runs = made[start : start + len(variants[name])]
        start += len(runs)
        decays.append(_decay(name, runs, corruptions, similarity, options))
    _log(run, options, decays, corruptions, made, comparable=is_reports_data(test.classes))


def _similarity(test: Samples, corruptions: list[Corruption], seed: int) -> dict[str, np.ndarray]:
    """Mean SSIM of every level of each corruption, of up to 2,000 test images."""
    images = test.take(at_most(test.labels, LOOKED_AT, seed)).images
    total = sum(len(one.severities) for one in corruptions)
    found = {}
    with tqdm(total=total, desc="similarity", unit="level", disable=None) as bar:
        for one in corruptions:
            means = []
            for severity in one.severities:
                means.append(structural_similarity(images, corrupted(one, images, severity, seed)).mean())
                bar.update()
            found[one.name] = np.array(means)
    return found


def _decay(name: str, runs: list[Run], corruptions: list[Corruption], similarity: dict, options: dict) -> Decay:
    outputs = [one.frame("outputs.parquet", {"sample_id": int, "label": int, "group": int}) for one in runs]
    figures = measure_decay(outputs, corruptions, draws=options["draws"], seed=options["seed"])
    return Decay(name, figures, similarity, len(outputs[0]), len(runs), runs[0].json("facts.json"))


def _log(
    run: Run, options: dict, decays: list[Decay], corruptions: list[Corruption], made: list[Run], *, comparable: bool
) -> None:
    curves, summary = decay_table(decays, corruptions), summary_table(decays, corruptions)
    equal, beside = equal_table(decays, corruptions), robustness_report(decays, corruptions, comparable=comparable)
    for name, frame in {"curves": curves, "summary": summary, "equal": equal, "report_table": beside}.items():
        run.log_frame(frame, f"{name}.csv")
        run.log_table(frame.round(4), f"{name}.json")
    run.log_figure(decay_figure(curves), "decay.png")
    run.log_figure(equal_figure(curves), "equal_distortion.png")
    for row in summary.itertuples():
        run.log_metrics({f"{_metric(row.model)}.area.{row.corruption}": row.area})
    for one in decays:
        _log_curves(run, one, corruptions)
    facts = {**as_typed(options, STEPS["robustness"].options), **environment(), "this run": run.link}
    run.log_text(robustness_page(curves, summary, equal, beside, facts), "report.html")
    run.log_json({"decay_curves": [one.id for one in made]}, "upstream.json")
    print(f"\n{_shown(summary)}\n\n{beside_lines(beside)}\n\nrun:    {run.link}")


def _log_curves(run: Run, one: Decay, corruptions: list[Corruption]) -> None:
    """Means over seeds as metrics, a step for each level, so that the UI draws and compares them."""
    for corruption in corruptions:
        for level in range(len(corruption.severities)):
            key = f"{corruption.name}.{level}"
            named = {
                f"{_metric(one.model)}.{kind}.{corruption.name}": one.figures.value[f"{key}.{kind}"]
                for kind in MEASURES
            }
            run.log_metrics(named, level)


def _metric(model: str) -> str:
    """A model's name as MLflow takes it in the name of a metric."""
    return model.removeprefix("models:/").replace("@", "-").replace(":", "-")


def _shown(summary: pd.DataFrame) -> str:
    return summary.to_string(index=False, float_format=lambda value: f"{value:.3f}")
