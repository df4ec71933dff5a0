"""A registered model, held-out images and new ones without labels -> do the new ones look different to it?"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit
from tqdm import tqdm

from anomaly_mlflow.anomalies.graded_corruptions import GRADED, corrupted
from anomaly_mlflow.data.listing import list_source
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.drift import Drift, drift
from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.report.drift_page import drift_line, drift_page
from anomaly_mlflow.report.figures.drift import drift_plot
from anomaly_mlflow.tracking.registry import run_of_model
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.inference import infer
from entry_points.environment import environment
from entry_points.options import as_typed
from entry_points.step import STEPS, Upstream, only, step
from entry_points.watched import Watched, among, read_batch, read_reference, read_watched

SIGMAS = (0.05, 0.1, 0.2)
"""Standard deviations of the noise of the demonstration, where pixels are 0..1."""

Batch = tuple[str, Samples]


def check_sources(options: dict) -> None:
    """Raises what a model or a source that cannot be used raises, before anything is trained or read."""
    name = options.get("registered")
    if name and not name.startswith("models:/"):
        raise BadOption(
            f"registered={name} is no registered model; write models:/NAME@champion or models:/NAME/VERSION"
        )
    if name:
        run_of_model(name)
    for spec in [*_batches(options), *filter(None, [options["reference"]])]:
        list_source(spec)


def _batches(options: dict) -> list[str]:
    """The sources of new images, in order. Raises BadOption for an empty name, or one that comes twice."""
    specs = [spec.strip() for spec in options["batch"].split("|")] if options["batch"] else []
    if not all(specs) or len(set(specs)) < len(specs):
        raise BadOption(f"batch={options['batch']} holds an empty source or one twice; write SOURCE|SOURCE, each once")
    return specs


@step(
    "monitor",
    own=("reference", "batch", "seed"),
    needs=("train_clean",),
    instead="registered",
    check=check_sources,
)
def monitor(run: Run, options: dict, upstream: Upstream) -> None:
    """Raise an alarm where new images, whose labels nobody knows, look to a model unlike images held out from it."""
    made = only(upstream, "train_clean") if upstream else Run(run_of_model(options["registered"]))
    watched = read_watched(made)
    reference = read_reference(watched, options["reference"])
    if options["batch"]:
        batches = ((spec, read_batch(watched, spec)) for spec in _batches(options))
    else:
        reference, batches = demonstration(reference, options["seed"])
    found = dict(_examined(run, watched, reference, batches, options["seed"]))
    _log(run, options, watched, found)


def demonstration(held_out: Samples, seed: int) -> tuple[Samples, list[Batch]]:
    """Half of the images as reference, the other half as it is and with ever more noise; no source is on both sides.

    Raises BadData where all images are of one source.
    """
    if len(np.unique(held_out.groups)) < 2:
        raise BadData("the held-out images are too few to be halved; name a batch")
    halves = GroupShuffleSplit(1, test_size=0.5, random_state=seed).split(held_out.labels, groups=held_out.groups)
    one, other = (held_out.take(np.sort(rows)) for rows in next(halves))
    noisy = {sigma: corrupted(GRADED["gaussian_noise"], other.images, sigma, seed) for sigma in SIGMAS}
    batches = [(f"held-out half, noise {sigma}", replace(other, images=images)) for sigma, images in noisy.items()]
    return one, [("held-out half", other), *batches]


def _examined(
    run: Run, watched: Watched, reference: Samples, batches: Iterable[Batch], seed: int
) -> Iterator[tuple[str, Drift]]:
    """Each batch beside the reference, both without the images that stand in both: on one side they would be drift."""
    _note(run, reference, "reference")
    known = infer(watched.model, reference.images)
    for name, batch in tqdm(batches, "batches", unit="batch", disable=None):
        _note(run, batch, "batch")
        apart, new = ~among(reference, batch), ~among(batch, reference)
        if not apart.any() or not new.any():
            raise BadData(f"{name}: no image is left that stands in one of batch and reference; name another reference")
        seen = infer(watched.model, batch.images, rows=new)
        yield name, drift(tuple(part[apart] for part in known), seen, seed=seed)


def _note(run: Run, samples: Samples, context: str) -> None:
    """Which images went in; their labels did not."""
    run.log_dataset(samples.images, np.zeros(len(samples), np.int64), samples.name, samples.name, context)


def _log(run: Run, options: dict, watched: Watched, found: dict[str, Drift]) -> None:
    tests = pd.concat([one.tests.assign(batch=name) for name, one in found.items()], ignore_index=True)
    tests = tests[["batch", *tests.columns[:-1]]]
    batches = pd.DataFrame([_summary(name, one) for name, one in found.items()])
    for name, frame in {"drift": tests, "batches": batches}.items():
        run.log_frame(frame, f"{name}.csv")
        run.log_table(frame.round(4), f"{name}.json")
    for number, (name, one) in enumerate(found.items()):
        run.log_figure(drift_plot(one, name), f"drift/{number}.png")
        run.log_metrics(_metrics(one), step=number)
    run.tag("anomaly.alarm", "yes" if batches["alarm"].any() else "no")
    facts = {**as_typed(options, ("registered", *STEPS["monitor"].own)), **environment()}
    facts |= {"model": watched.name, "this run": run.link}
    known = watched.trained is not None
    run.log_text(drift_page(watched.name, found, tests, batches, facts, training_known=known), "report.html")
    lines = [drift_line(name, one) for name, one in found.items()]
    print("\n".join([*lines, "", f"model:  {watched.name}", f"run:    {run.link}"]))


def _summary(name: str, one: Drift) -> dict[str, object]:
    return {
        "batch": name,
        "images": len(one.batch),
        "reference_images": len(one.reference),
        "alarm": one.alarm,
        "severity": one.severity,
        "level": one.level,
        "triggered": ", ".join(one.triggered),
        "smallest_adjusted_p": one.tests["adjusted_p"].min(),
    }


def _metrics(one: Drift) -> dict[str, float]:
    """Every statistic, and what follows from them: a curve over the batches, and over runs of one batch each."""
    each = {f"{row.statistic}.{row.quantity}": row.value for row in one.tests.itertuples()}
    whole = {"alarm": one.alarm, "severity": one.severity, "smallest_adjusted_p": one.tests["adjusted_p"].min()}
    return each | whole
