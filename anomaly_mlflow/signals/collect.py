"""Trained models and a recording -> Evidence."""

from collections.abc import Collection
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, Leakage
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.models.frozen import embed_frozen
from anomaly_mlflow.signals.demand import FROM_PASSES
from anomaly_mlflow.signals.evidence import CrossFit, Evidence, Head
from anomaly_mlflow.signals.influence_scores import InfluenceSettings
from anomaly_mlflow.signals.traces import Traces, collect_traces, reference_rows, unseen
from anomaly_mlflow.training.checkpoints import load_model, load_snapshots, read_seen, snapshot_epochs
from anomaly_mlflow.training.folds import CROSS_FIT, fold_folder, read_plan, seen_digest
from anomaly_mlflow.training.gradients import gradient_spread
from anomaly_mlflow.training.inference import infer, infer_layers, rearranged_logits, stochastic_logits
from anomaly_mlflow.training.probes import ProbeRun
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.second_split import SecondSplit
from anomaly_mlflow.training.threshold_samples import ThresholdRun
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["ORDERS", "collect", "cross_fitted", "freeze"]

ORDERS = 4
"""Ways in which the parts of an image change places, for the signals that ask whether their places matter."""


def collect(
    samples: Samples,
    needs: Collection[str],
    *,
    clean: Path | None,
    noisy: Path | None,
    snapshots: Path | None,
    recording: Recording | TopRecording | None,
    out_of_fold: np.ndarray | None,
    second_split: list[SecondSplit] | None,
    probes: list[ProbeRun] | None,
    reference: Samples | None,
    passes: int,
    seed: int,
    frozen: str | None = None,
    influence: InfluenceSettings | None = None,
    threshold_runs: list[ThresholdRun] | None = None,
    trusted: np.ndarray | None = None,
) -> Evidence:
    """Run those evaluation passes of both models over the samples that the needs ask for.

    needs: fields of Evidence, as `needs_of` gives them; others stay None, but for what is evidence as it is.
    clean, noisy: model folders (JSON and safetensors); snapshots: folder of the noisy model's snapshots;
    reference: samples that no model was trained on, with their labels, for the influence on them;
    passes: stochastic passes of the noisy model's head; frozen: encoder of the geometry, in place of the clean side's;
    influence: how the influence on the reference is computed.
    The rest is evidence as it is. All arrays of the evidence are read-only: a signal cannot change what others see.
    """
    seen = _passes(samples, needs, noisy, passes, seed) if FROM_PASSES & set(needs) else {}
    if "gradient_spread" in needs:
        known = [_fitting(each, samples, snapshots) for each in load_snapshots(snapshots, recording.epochs)]
        seen["gradient_spread"] = _finite([gradient_spread(known, samples.images, samples.labels)], snapshots)[0]
    if "traces" in needs:
        seen["traces"] = _traces(samples, reference, snapshots, recording, seed)
    evidence = Evidence(
        sample_id=samples.sample_id.view(),
        labels=samples.labels.view(),
        num_classes=samples.num_classes,
        images=samples.images.view(),
        recording=recording,
        references=cross_fitted(samples, clean, frozen) if "references" in needs else None,
        out_of_fold=out_of_fold,
        second_split=second_split,
        probes=probes,
        threshold_runs=threshold_runs,
        trusted=trusted,
        influence_settings=influence or InfluenceSettings(),
        **seen,
    )
    freeze(evidence)
    return evidence


def _traces(
    samples: Samples, reference: Samples, folder: Path, recording: Recording | TopRecording, seed: int
) -> Traces:
    """The noisy model's snapshots beside at most 2,000 of the reference samples."""
    models = (_fitting(model, samples, folder) for model in load_snapshots(folder, recording.epochs))
    rates = recording.learning_rate[snapshot_epochs(recording.epochs)]
    known = unseen(reference.take(reference_rows(reference.labels, seed)), samples)
    return collect_traces(models, rates, samples, known)


def _passes(samples: Samples, needs: Collection[str], noisy: Path, passes: int, seed: int) -> dict[str, object]:
    """What the noisy model's evaluation passes give; all layers and the stochastic passes only where needed."""
    model = _fitting(load_model(noisy), samples, noisy)
    layers = infer_layers(model, samples.images) if "layers" in needs else [infer(model, samples.images)[0]]
    embeddings = _finite(layers, noisy)[-1]
    head = Head(*(value.detach().cpu().numpy() for value in (model.head.weight, model.head.bias)))
    with np.errstate(over="ignore", invalid="ignore"):
        logits = embeddings @ head.weight.T + head.bias
    found = {"logits": _finite([logits], noisy)[0], "embeddings": embeddings, "head": head}
    if "layers" in needs:
        found["layers"] = layers
    if "stochastic" in needs:
        found["stochastic"] = stochastic_logits(model, embeddings, passes, seed)
    if "rearranged" in needs:
        found["rearranged"] = _finite([rearranged_logits(model, samples.images, ORDERS, seed)], noisy)[0]
    return found


def cross_fitted(samples: Samples, folder: Path, frozen: str | None = None) -> list[CrossFit]:
    """Embed each fold, and the clean rows of the other folds, by the fold's own encoder or by one that learns nothing.

    frozen: spec of a frozen encoder, as `embed_frozen` takes it. Raises BadData where the folder was made from other
    samples, Leakage where an encoder learnt from other rows than the plan says: then it may have seen what it judges.
    """
    plan = read_plan(folder)
    if not np.array_equal(plan["sample_id"], samples.sample_id):
        raise BadData(f"the clean model in {folder} was trained on other samples; name its own generate_noise run")
    fold, reference = plan["fold"].to_numpy(), plan["reference"].to_numpy()
    folds = range(fold.max() + 1)
    if set(fold) != set(folds) or not all((reference & (fold != k)).any() for k in folds):
        raise BadData(f"{CROSS_FIT} in {folder} does not describe folds; train the clean model again")
    embeddings = embed_frozen(frozen, samples.images) if frozen else None
    return [_judge(samples, fold == k, reference & (fold != k), fold_folder(folder, k), embeddings) for k in folds]


def _judge(
    samples: Samples, judged: np.ndarray, reference: np.ndarray, folder: Path, embeddings: np.ndarray | None
) -> CrossFit:
    if embeddings is None:
        if read_seen(folder) != seen_digest(samples.sample_id[reference]):
            raise Leakage(f"the encoder in {folder} was trained on other rows than {CROSS_FIT} says; train it again")
        model = _fitting(load_model(folder), samples, folder)
        own, others = _finite([infer(model, samples.images, rows=mask)[0] for mask in (judged, reference)], folder)
    else:
        own, others = embeddings[judged], embeddings[reference]
    return CrossFit(
        rows=np.flatnonzero(judged),
        embeddings=own,
        judged_groups=samples.groups[judged],
        reference_embeddings=others,
        reference_labels=samples.labels[reference],
        reference_groups=samples.groups[reference],
    )


def _fitting(model: Classifier, samples: Samples, folder: Path) -> Classifier:
    """The model, if it is one for these samples and its weights are numbers. Raises BadData."""
    known = model.architecture
    if (known.image_shape, known.num_classes) != (samples.image_shape, samples.num_classes):
        raise BadData(f"the model in {folder} is for other images or classes than '{samples.name}'; train it again")
    values = model.state_dict()
    spread = [(value >= 0).all() for name, value in values.items() if name.endswith("running_var")]
    if not all(value.isfinite().all() for value in values.values()):
        raise BadData(f"the weights in {folder} are no numbers; train the model again")
    if not (model.deviation > 0).all() or not all(spread):
        raise BadData(f"a deviation or variance in {folder} is not positive; train the model again")
    return model


def _finite(arrays: list[np.ndarray], folder: Path) -> list[np.ndarray]:
    if not all(np.isfinite(array).all() for array in arrays):
        raise BadData(f"the model in {folder} makes no numbers of these images (overflow); train it again")
    return arrays


def freeze(value: object) -> None:
    """Make all arrays read-only that a value is or holds."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, list | tuple):
        for each in value:
            freeze(each)
    elif is_dataclass(value):
        freeze(list(vars(value).values()))
