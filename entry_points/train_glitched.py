"""Data with a known glitch -> a training, and the influence scores of its rows: what is costly of a cell."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from anomaly_mlflow.anomalies.glitched import Glitched
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.signals.traces import Traces, collect_traces
from anomaly_mlflow.studies.glitch_kinds import KINDS, kinds_of
from anomaly_mlflow.studies.glitch_scores import Stopwatch, glitch_scores, scores_frame
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import load_model, save_model
from anomaly_mlflow.training.device import on_gpu
from anomaly_mlflow.training.loop import fit
from entry_points.glitched import GLITCH, clean_and_test, injected, reference_of, settings_of
from entry_points.influence_options import as_published, every_influence, influence_settings, scores_file
from entry_points.sample_files import DATA
from entry_points.step import Upstream, step
from entry_points.trained import TRAINING, check_pretrained


@step("train_glitched", own=(*DATA, *TRAINING, *GLITCH, "training_seed"), trains=True, check=check_pretrained)
def train_glitched(run: Run, options: dict, upstream: Upstream) -> None:
    """Train on a set with one known glitch in it; keep every row's influence scores, and the truth apart from them."""
    clean, test = clean_and_test(options)
    made = injected(clean, options)
    run.log_dataset(made.samples.images, made.samples.labels, clean.name, options["dataset"], options["glitch"])
    reference, true_labels = reference_of(test, made.samples, options)
    watch = Stopwatch()
    traces = _traces(run, made.samples, reference, options, watch)
    for each in every_influence(options):
        found = glitch_scores(traces, watch if as_published(each) else Stopwatch(), influence_settings(each))
        run.log_frame(scores_frame(found, made.samples.sample_id, made.samples.labels), scores_file(each))
    run.log_frame(made.truth.assign(group=made.samples.groups), "truth.parquet")
    facts = _facts(made, traces, true_labels)
    run.log_json(facts | {"dataset": clean.name, "seconds": watch.seconds}, "facts.json")
    run.note_content(f"{clean.name} {made.contamination}".encode(), "facts.json")
    run.log_metrics(facts | {f"seconds.{name}": seconds for name, seconds in watch.seconds.items()})


def _traces(run: Run, samples: Samples, reference: Samples, options: dict, watch: Stopwatch) -> Traces:
    """Train, keep the state after every epoch, and evaluate these states with the rates that were really used."""
    config = settings_of(samples, options)
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


def _facts(made: Glitched, traces: Traces, true_labels: np.ndarray) -> dict[str, float]:
    """Accuracy on the reference set's true labels, what was done, and how much of each kind the model has fitted."""
    last, kinds = traces.checkpoints[-1], kinds_of(made.truth)
    fits = last.probabilities.argmax(axis=1) == traces.labels
    fitted = {f"fitted.{name}": float(fits[kinds == k].mean()) for k, name in enumerate(KINDS) if (kinds == k).any()}
    return {
        "test_accuracy": float((last.reference_probabilities.argmax(axis=1) == true_labels).mean()),
        "contamination": made.contamination,
        "rows": len(kinds),
        "errors": int((kinds > 0).sum()),
        **fitted,
    }
