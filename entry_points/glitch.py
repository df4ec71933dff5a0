"""Data with a known glitch -> a training, its influence signals, how well they find it: a cell of the glitch study."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from anomaly_mlflow.anomalies.glitch_labels import noisy_labels
from anomaly_mlflow.anomalies.glitches import Glitched, inject_glitch
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.detection.contamination import f1_ceiling, flagged_rows
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.signals.traces import Traces, collect_traces, reference_rows, unseen
from anomaly_mlflow.studies.characterisation import characterisation_counts, repair_counts
from anomaly_mlflow.studies.glitch_grid import Data
from anomaly_mlflow.studies.glitch_measures import kinds_of, measure_signals
from anomaly_mlflow.studies.glitch_scores import GlitchScores, Stopwatch, glitch_scores
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import load_model, save_model
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.device import on_gpu
from anomaly_mlflow.training.loop import fit
from entry_points.sample_files import DATA
from entry_points.step import Upstream, step
from entry_points.trained import TRAINING, check_pretrained, chosen

REFERENCES = 1000
EPOCHS = 15
"""Where none is typed; so that tiny images too are judged before their wrong labels are learnt."""

KINDS = ("clean", "mislabelled", "anomaly")
GLITCH = ("glitch", "glitch_ratio", "reference_noise", "anomalies")


@step("glitch", own=(*DATA, *TRAINING, *GLITCH, "training_seed", "draws"), trains=True, check=check_pretrained)
def glitch(run: Run, options: dict, upstream: Upstream) -> None:
    """Train on a set with one known glitch in it, and measure how well influence signals find what was done."""
    clean, test = load_split(options["dataset"], **{name: options[name] for name in DATA if name != "dataset"})
    made = _injected(clean, options)
    run.log_dataset(made.samples.images, made.samples.labels, clean.name, options["dataset"], options["glitch"])
    reference = unseen(test.take(reference_rows(test.labels, options["seed"], REFERENCES)), made.samples)
    watch = Stopwatch()
    traces = _traces(run, made.samples, _as_labelled(reference, options), options, watch)
    found = glitch_scores(traces, watch, device=options["device"])
    run.log_frame(_scores_frame(made.samples, found), "scores.parquet")
    run.log_frame(made.truth, "truth.parquet")
    _log_measures(run, made, found, options)
    facts = _facts(made, traces, reference.labels)
    run.log_json(facts | {"dataset": clean.name, "seconds": watch.seconds}, "facts.json")
    run.log_metrics(facts | {f"seconds.{name}": seconds for name, seconds in watch.seconds.items()})


def _injected(clean: Samples, options: dict) -> Glitched:
    how = {"ratio": options["glitch_ratio"], "seed": options["training_seed"]}
    anomalies = Data(options["dataset"], anomalies=options["anomalies"]).foreign
    return inject_glitch(clean, options["glitch"], anomalies=anomalies, **how)


def _as_labelled(reference: Samples, options: dict) -> Samples:
    """The reference set with as many wrong labels as asked for."""
    share, seed = options["reference_noise"], options["training_seed"]
    return replace(
        reference, labels=noisy_labels(reference.labels, reference.num_classes, share, seed, "reference set")
    )


def _traces(run: Run, samples: Samples, reference: Samples, options: dict, watch: Stopwatch) -> Traces:
    """Train, keep the state after every epoch, and evaluate these states with the rates that were really used."""
    settings = chosen(options) | {"epochs": options["epochs"] or EPOCHS, "schedule": "constant"}
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **settings)
    run.log_json(config.to_dict(), "training.json")
    line = {"desc": f"{options['glitch']}, seed {options['training_seed']}", "position": options.get("bar")}
    with tempfile.TemporaryDirectory() as place, tqdm(total=config.epochs, unit="epoch", disable=None, **line) as bar:
        folders = [Path(place, f"epoch={epoch:04d}") for epoch in range(config.epochs)]

        def on_epoch(epoch: int, model: Classifier, loss: float) -> None:
            save_model(model, folders[epoch])
            bar.update()

        how = {"seed": options["training_seed"], "device": options["device"]}
        with watch.part("training"):
            recording = fit(samples, config, record=True, on_epoch=on_epoch, **how)[1]
        place_of_models = torch.device("cuda" if on_gpu(options["device"]) else "cpu")
        models = (load_model(folder).to(place_of_models) for folder in folders)
        # In the precision of the training: on a CPU two to three times as fast as float32, and it is half of all time.
        as_trained = torch.autocast(place_of_models.type, torch.bfloat16, enabled=config.precision == "bf16-mixed")
        with watch.part("influence"), as_trained:
            return collect_traces(models, recording.learning_rate, samples, reference)


def _scores_frame(samples: Samples, found: GlitchScores) -> pd.DataFrame:
    frame = pd.DataFrame({"sample_id": samples.sample_id, "given_label": samples.labels, **found.by_name})
    return frame.assign(repair_label=found.repair_label, called_mislabelled=found.called_mislabelled)


def _log_measures(run: Run, made: Glitched, found: GlitchScores, options: dict) -> None:
    kinds, known = kinds_of(made.truth), made.contamination
    how = {"draws": options["draws"], "seed": options["training_seed"]}
    measured = measure_signals(found.by_name, kinds, made.samples.groups, known, **how)
    run.log_frame(measured.values, "measures.csv")
    shown = measured.values.pivot(index="signal", columns="measure", values="value").round(3)
    run.log_table(shown.reset_index(), "measures.json")
    run.log_frame(measured.draws.astype(np.float32), "draws.parquet")
    counts = characterisation_counts(found.by_name["cfrank"], found.called_mislabelled, kinds, known)
    repaired = repair_counts(found.by_name["cnci"], found.repair_label, made.truth, known)
    run.log_json({**counts, **repaired}, "counts.json")
    f1 = measured.values[measured.values["measure"] == "f1_known"]
    run.log_metrics({f"f1_known.{row.signal}": row.value for row in f1.itertuples()})


def _facts(made: Glitched, traces: Traces, true_labels: np.ndarray) -> dict[str, float]:
    """Accuracy on the reference set's true labels, what F1 can be, and how much of each kind the model has fitted."""
    last, kinds = traces.checkpoints[-1], kinds_of(made.truth)
    fits = last.probabilities.argmax(axis=1) == traces.labels
    n, errors = len(kinds), int((kinds > 0).sum())
    flagged = flagged_rows(n, made.contamination)
    fitted = {f"fitted.{name}": float(fits[kinds == k].mean()) for k, name in enumerate(KINDS) if (kinds == k).any()}
    return {
        "test_accuracy": float((last.reference_probabilities.argmax(axis=1) == true_labels).mean()),
        "contamination": made.contamination,
        "ceiling": f1_ceiling(n, errors, made.contamination),
        "chance": 2 * flagged * errors / n / (flagged + errors),
        "rows": n,
        "errors": errors,
        **fitted,
    }
