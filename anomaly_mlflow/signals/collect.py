"""Trained models and a recording -> Evidence."""

from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, Leakage
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.models.frozen import embed_frozen
from anomaly_mlflow.signals.evidence import CrossFit, Evidence, Head
from anomaly_mlflow.training.checkpoints import load_model, load_snapshots, read_seen
from anomaly_mlflow.training.folds import CROSS_FIT, fold_folder, seen_digest
from anomaly_mlflow.training.gradients import gradient_spread
from anomaly_mlflow.training.inference import infer, infer_layers, stochastic_logits
from anomaly_mlflow.training.probes import ProbeRun
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.second_split import SecondSplit
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["collect", "cross_fitted", "freeze"]


def collect(
    samples: Samples,
    *,
    clean: Path,
    noisy: Path,
    snapshots: Path,
    recording: Recording | TopRecording,
    out_of_fold: np.ndarray,
    second_split: list[SecondSplit],
    probes: list[ProbeRun],
    passes: int,
    seed: int,
    frozen: str | None = None,
) -> Evidence:
    """Run the evaluation passes of both models over the samples.

    clean, noisy: model folders (JSON and safetensors); snapshots: folder of the noisy model's snapshots;
    passes: stochastic passes of the noisy model's head; frozen: encoder of the geometry, in place of the clean side's.
    The rest is evidence as it is. All arrays of the evidence are read-only: a signal cannot change what others see.
    """
    model = _fitting(load_model(noisy), samples, noisy)
    layers = _finite(infer_layers(model, samples.images), noisy)
    head = Head(*(value.detach().cpu().numpy() for value in (model.head.weight, model.head.bias)))
    known = [_fitting(each, samples, snapshots) for each in load_snapshots(snapshots, recording.epochs)]
    with np.errstate(over="ignore", invalid="ignore"):
        logits = layers[-1] @ head.weight.T + head.bias
    evidence = Evidence(
        sample_id=samples.sample_id.view(),
        labels=samples.labels.view(),
        num_classes=samples.num_classes,
        images=samples.images.view(),
        logits=_finite([logits], noisy)[0],
        embeddings=layers[-1],
        head=head,
        layers=layers,
        gradient_spread=_finite([gradient_spread(known, samples.images, samples.labels)], snapshots)[0],
        stochastic=stochastic_logits(model, layers[-1], passes, seed),
        recording=recording,
        references=cross_fitted(samples, clean, frozen),
        out_of_fold=out_of_fold,
        second_split=second_split,
        probes=probes,
    )
    freeze(evidence)
    return evidence


def cross_fitted(samples: Samples, folder: Path, frozen: str | None = None) -> list[CrossFit]:
    """Embed each fold, and the clean rows of the other folds, by the fold's own encoder or by one that learns nothing.

    frozen: spec of a frozen encoder, as `embed_frozen` takes it. Raises BadData where the folder was made from other
    samples, Leakage where an encoder learnt from other rows than the plan says: then it may have seen what it judges.
    """
    plan = _read_plan(folder)
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


def _read_plan(folder: Path) -> pd.DataFrame:
    try:
        plan = pd.read_parquet(folder / CROSS_FIT, columns=["sample_id", "fold", "reference"])
    except (OSError, pa.ArrowException, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise BadData(f"{folder} holds no cross-fitted clean model ({error})") from None
    if [dtype.kind for dtype in plan.dtypes] != ["i", "i", "b"]:
        raise BadData(f"{CROSS_FIT} in {folder} has columns of other types; train the clean model again")
    return plan
