"""One planted world for all signals: what a network that learns easy rows first would leave behind.

Six classes in three pairs (c, c ^ 1) that look alike. Easy rows, each with an ease of its own, are learnt within two
epochs, hard rows late and with setbacks. Wrong labels are resisted, and some of them memorised in the last quarter:
20 % within a pair, 4 % across (shares as measured on CIFAR-10). Strangers look like nothing. Images with a defect are
learnt like clean ones; a duplicate is the image of a clean row once more. Nothing here knows of any signal.
"""

from dataclasses import replace
from functools import cache

import numpy as np
from planted_images import pictures
from planted_traces import planted_traces, shortcut

from anomaly_mlflow.anomalies.types import MADE, AnomalyType, ImageDefect
from anomaly_mlflow.signals import CrossFit, Evidence, Head
from anomaly_mlflow.training.probes import SUITES, ProbeRun
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.second_split import SecondSplit
from anomaly_mlflow.training.threshold_samples import ThresholdRun

CLASSES, EPOCHS, PASSES, FOLDS, DIMENSIONS = 6, 12, 8, 4, 16
ANOMALIES = [kind.value for kind in MADE[1:]]
COUNTS = {AnomalyType.CLEAN: 300} | {kind: 60 for kind in MADE[1:]} | {kind: 30 for kind in ImageDefect}
PROBES, SECOND_EPOCHS, STAGES, REFERENCES = 30, 6, 4, 120
JITTER = {"clean": 0.1, "hard": 1.2, "near_miss": 0.7, "gross": 0.5, "random_flip": 0.5, "ood": 0.5}
STOCHASTIC = {"clean": 0.3, "hard": 1.0, "near_miss": 0.7, "gross": 0.3, "random_flip": 0.3, "ood": 0.7}


@cache
def world(seed=1):
    """Evidence with everything in it, and the type of each row."""
    rng = np.random.default_rng(seed)
    types = rng.permutation(np.repeat([kind.value for kind in COUNTS], list(COUNTS.values())))
    return planted(types, rng)[0], types


def planted(types, rng):
    """Evidence of rows of these types with everything in it but threshold runs and trusted rows, and their classes."""
    truth = rng.integers(0, CLASSES, len(types))
    labels = _given_labels(types, truth, rng)
    sample_id = rng.permutation(10 * len(types))[: len(types)]
    means = _mean_logits(types, truth, labels, rng)
    jittered = means + _spread(types, JITTER)[:, None] * rng.normal(size=means.shape)
    passes = means[-1] + _spread(types, STOCHASTIC)[:, None] * rng.normal(size=(PASSES, *means.shape[1:]))
    recording = Recording(jittered.astype(np.float16), labels, sample_id, np.linspace(0.1, 0.01, EPOCHS))
    references = _cross_fitted(types, truth, labels, rng)
    twin_of = _twins(types, truth, labels, rng)
    head, embeddings = _noisy_model(types, means[-1], twin_of, rng)
    evidence = Evidence(
        sample_id,
        labels,
        CLASSES,
        images=pictures(types, truth, twin_of, rng),
        logits=means[-1].astype(np.float32),
        embeddings=embeddings,
        head=head,
        layers=_layers(types, embeddings, rng),
        gradient_spread=_gradient_spread(types, rng),
        stochastic=passes.astype(np.float32),
        rearranged=_rearranged(types, means[-1]),
        recording=recording,
        references=references,
        out_of_fold=_out_of_fold(types, truth, labels, rng),
        second_split=_second_split(types, means[-1].argmax(axis=1) == labels, rng),
        probes=_probe_runs(types, truth, labels, rng),
        traces=_traces(types, labels, means, rng),
    )
    return evidence, truth


@cache
def world_of_one_label(seed=1):
    """The rows of `world` where all strangers bear one label; evidence with the traces alone, and the types."""
    evidence, types = world(seed)
    rng = np.random.default_rng(seed)
    labels, logits = shortcut(types, evidence.labels, evidence.recording.logits.astype(np.float64))
    traces = _traces(types, labels, logits, rng)
    return Evidence(evidence.sample_id, labels, CLASSES, traces=traces), types


def permuted(evidence, order, rng):
    """The same evidence with its samples in another order, and the rows of every fold shuffled."""
    where = np.argsort(order)
    record = evidence.recording
    by_row = ("sample_id", "labels", "images", "logits", "embeddings", "gradient_spread", "out_of_fold", "trusted")
    known = [name for name in by_row if getattr(evidence, name) is not None]
    runs = evidence.threshold_runs
    return replace(
        evidence,
        **{name: getattr(evidence, name)[order] for name in known},
        threshold_runs=runs and [ThresholdRun(run.threshold[order], run.margin[order]) for run in runs],
        layers=[layer[order] for layer in evidence.layers],
        second_split=[SecondSplit(where[split.rows], split.correct) for split in evidence.second_split],
        probes=[ProbeRun(run.loss[:, order], run.suite[order]) for run in evidence.probes],
        traces=_reordered(evidence.traces, order),
        stochastic=evidence.stochastic[:, order],
        rearranged=evidence.rearranged[:, order],
        recording=Recording(
            record.logits[:, order], record.labels[order], record.sample_id[order], record.learning_rate
        ),
        references=[_shuffled(fold, where, rng) for fold in evidence.references],
    )


def _reordered(traces, order):
    states = [
        replace(state, embeddings=state.embeddings[order], probabilities=state.probabilities[order])
        for state in traces.checkpoints
    ]
    return replace(traces, checkpoints=states, labels=traces.labels[order])


def _shuffled(fold, where, rng):
    judged, known = rng.permutation(len(fold.rows)), rng.permutation(len(fold.reference_labels))
    return CrossFit(
        where[fold.rows[judged]],
        fold.embeddings[judged],
        judged,
        fold.reference_embeddings[known],
        fold.reference_labels[known],
        len(fold.rows) + known,
    )


def _given_labels(types, truth, rng):
    partner, elsewhere = truth ^ 1, (truth // 2 * 2 + rng.integers(2, CLASSES, len(truth))) % CLASSES
    other = (truth + rng.integers(1, CLASSES, len(truth))) % CLASSES
    anything = rng.integers(0, CLASSES, len(truth))
    choices = {"near_miss": partner, "gross": elsewhere, "random_flip": other, "ood": anything}
    return np.select([types == kind for kind in choices], list(choices.values()), truth)


def _mean_logits(types, truth, labels, rng):
    """(epochs, n, classes): looks of the image, learnt at its pace, plus what is memorised of the given label."""
    t = np.arange(EPOCHS)[:, None, None]
    early, late = 1 - np.exp(-(t + 1.0)), 1 / (1 + np.exp((6 - t) / 1.5))
    own, twin = np.eye(CLASSES)[truth], np.eye(CLASSES)[truth ^ 1]
    ease = np.exp(0.3 * rng.normal(size=(len(truth), 1)))
    easy = early * ease * (7 * own + 3 * twin) * (1 + 0.05 * t)
    hard = early * (1.5 * own + 3 * twin) + 2.5 * late * own
    strange = early * rng.normal(scale=0.7, size=own.shape)
    kind = types[:, None]
    looks = np.where(kind == "hard", hard, np.where(kind == "ood", strange, easy))
    return looks + _memorised(types, truth, labels, rng)


def _memorised(types, truth, labels, rng):
    """A label from the pair confuses from the start; some wrong labels are learnt by heart in the last quarter."""
    wrong, paired = np.isin(types, ["near_miss", "gross", "random_flip"]), labels == truth ^ 1
    confusing = 2.0 * (wrong & paired) * rng.random(len(types))
    by_heart = 8.0 * (wrong & (rng.random(len(types)) < np.where(paired, 0.2, 0.04)))
    last = np.clip((np.arange(EPOCHS) - 8) / 3, 0, 1)[:, None]
    ramp = 1 - np.exp(-np.arange(1.0, EPOCHS + 1))[:, None]
    return (ramp * confusing + last * by_heart)[:, :, None] * np.eye(CLASSES)[labels]


def _cross_fitted(types, truth, labels, rng):
    """Folds with an encoder each: rotated and shifted differently, the clean rows of the others as references."""
    rows, fold_of, clean = np.arange(len(types)), rng.integers(0, FOLDS, len(types)), types == "clean"
    directions = _directions(types, truth, rng)
    folds = []
    for fold in range(FOLDS):
        turn, _ = np.linalg.qr(rng.normal(size=(DIMENSIONS, DIMENSIONS)))
        seen = ((directions + fold * 0.2 / np.sqrt(DIMENSIONS)) @ turn).astype(np.float32)
        judged, known = rows[fold_of == fold], rows[(fold_of != fold) & clean]
        folds.append(CrossFit(judged, seen[judged], judged, seen[known], labels[known], known))
    return folds


def _directions(types, truth, rng):
    axes = np.eye(DIMENSIONS)
    centres = 0.75 * axes[np.arange(CLASSES) // 2] + 0.65 * axes[3 + np.arange(CLASSES)]
    own, twin = centres[truth], centres[truth ^ 1]
    strange = rng.normal(scale=1 / np.sqrt(DIMENSIONS), size=own.shape)
    kind = types[:, None]
    looks = np.where(kind == "hard", 0.55 * own + 0.45 * twin, np.where(kind == "ood", strange, own))
    return looks + rng.uniform(0.06, 0.16, size=(len(truth), 1)) * rng.normal(size=looks.shape)


def _twins(types, truth, labels, rng):
    """For each duplicate the clean row whose image, class and label it repeats; every other row itself."""
    rows = np.arange(len(types))
    twins, clean = np.flatnonzero(types == "duplicate"), np.flatnonzero(types == "clean")
    for row in twins:
        rows[row] = rng.choice(clean[truth[clean] == truth[row]])
    return rows


def _noisy_model(types, logits, twin_of, rng):
    """A head, and embeddings that it maps to the logits; what it does not see is small but for strangers."""
    weight, bias = rng.normal(scale=0.5, size=(CLASSES, DIMENSIONS)), rng.normal(scale=0.1, size=CLASSES)
    unseen = rng.normal(size=(len(types), DIMENSIONS)) * np.where(types == "ood", 3.0, 1.0)[:, None]
    unseen -= unseen @ np.linalg.pinv(weight) @ weight
    embeddings = (logits - bias) @ np.linalg.pinv(weight).T + unseen
    twins = twin_of != np.arange(len(types))
    embeddings[twins] = embeddings[twin_of[twins]] + 0.01 * rng.normal(size=(twins.sum(), DIMENSIONS))
    return Head(weight.astype(np.float32), bias.astype(np.float32)), embeddings.astype(np.float32)


def _rearranged(types, logits):
    """Parts in other places: what looked like a class looks like others; a stranger has no layout to lose."""
    others = np.stack([0.3 * np.roll(logits, turn, axis=1) for turn in (1, 2, 3)])
    return np.where((types == "ood")[:, None], logits, others).astype(np.float32)


def _layers(types, embeddings, rng):
    """From noise to the embedding: what is easy to see emerges in the second stage, the rest at the end."""
    emerges = np.where(np.isin(types, ["hard", "ood"])[:, None], [0.0, 0.05, 0.15, 1.0], [0.1, 0.8, 1.0, 1.0])
    size = np.abs(embeddings).mean()
    noise = [size * rng.normal(size=embeddings.shape) for _ in range(STAGES - 1)]
    early = [emerges[:, [stage]] * embeddings + noise[stage] * (1 - emerges[:, [stage]]) for stage in range(STAGES - 1)]
    return [stage.astype(np.float32) for stage in [*early, embeddings]]


def _gradient_spread(types, rng):
    wavers = np.where(np.isin(types, ["hard", "near_miss", "ood"]), 2.5, np.where(np.isin(types, ANOMALIES), 1.7, 1.0))
    return (wavers * np.exp(0.25 * rng.normal(size=len(types)))).astype(np.float32)


def _out_of_fold(types, truth, labels, rng):
    """What models of other folds say: the looks of the image, nothing of its label."""
    unseen = _mean_logits(types, truth, truth, rng)[-1]
    return (unseen + 0.5 * rng.normal(size=unseen.shape)).astype(np.float32)


def _second_split(types, learnt, rng):
    """Two halves; what was learnt by heart goes first, hard rows go later, the rest stays."""
    lasts = np.where(np.isin(types, ANOMALIES), 0, SECOND_EPOCHS)
    lasts = np.where(types == "hard", rng.integers(2, SECOND_EPOCHS, len(types)), lasts)
    lasts = np.where(learnt, np.maximum(lasts, rng.integers(0, 2, len(types))), 0)
    correct = np.arange(SECOND_EPOCHS)[:, None] < lasts
    half = rng.integers(0, 2, len(types))
    return [SecondSplit(np.flatnonzero(half == k), correct[:, half == k]) for k in range(2)]


def _probe_runs(types, truth, labels, rng):
    """Two more trainings of the same rows; no row is spoiled in both."""
    spoiled = rng.permutation(len(types))[: 2 * PROBES * len(SUITES)].reshape(2, -1)
    return [_probe_run(types, truth, labels, rows, rng) for rows in spoiled]


def _probe_run(types, truth, labels, rows, rng):
    """Another training of the same rows, some of them spoiled on purpose."""
    suite = np.full(len(types), -1)
    suite[rows] = np.repeat(np.arange(len(SUITES)), PROBES)
    wrong, random = suite == SUITES.index("wrong_label"), suite == SUITES.index("random_input")
    kind = np.where(wrong, "random_flip", np.where(random, "ood", types))
    other = (truth + rng.integers(1, CLASSES, len(truth))) % CLASSES
    labels = np.where(wrong, other, np.where(random, rng.integers(0, CLASSES, len(truth)), labels))
    logits = _mean_logits(kind, truth, labels, rng) + _spread(kind, JITTER)[:, None] * rng.normal(
        size=(EPOCHS, len(types), CLASSES)
    )
    recording = Recording(logits.astype(np.float16), labels, np.arange(len(types)), np.ones(EPOCHS))
    return ProbeRun(recording.loss, suite)


def _traces(types, labels, logits, rng):
    """Beside clean rows of the same classes that the network never saw."""
    known = rng.integers(0, CLASSES, REFERENCES)
    looks = _mean_logits(np.full(REFERENCES, "clean"), known, known, rng)
    return planted_traces(types, labels, logits, looks, known, DIMENSIONS, rng)


def _spread(types, table):
    return np.array([table.get(kind, table["clean"]) for kind in types])
