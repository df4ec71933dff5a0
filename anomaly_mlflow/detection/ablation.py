"""What each family and each signal is worth: alone, left out, permuted, dropped."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from joblib import delayed

from anomaly_mlflow.detection.ablation_tasks import Task, near_miss_vs_hard, type_task
from anomaly_mlflow.detection.statistics import interval
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["ablation"]

TOP = 10


def ablation(
    columns: Sequence[str],
    X: np.ndarray,
    types: np.ndarray,
    groups: np.ndarray,
    *,
    seed: int = 0,
    draws: int = 500,
    jobs: int = 1,
) -> pd.DataFrame:
    """Families and signals, judged by macro-F1 of the merged types and by AUROC of near misses against hard images.

    columns: `family.signal`; X: float64 (seeds, n, signals); types: names (n,); groups: int64 (n,). One row per
    variant: `measure` (macro_f1, near_miss_vs_hard), `how`, `what` (family or column), `value`, `low`, `high`, `loss`
    (value of all signals less this value, positive = it was worth something), `loss_low`, `loss_high` (paired, 95 %,
    over seeds and groups). how: `all`; `only` one family; `all_but` one family; `permuted` one column of the held-out
    rows within each fold, without a refit (Breiman 2001, Random forests; Fisher et al. 2019); `dropped` one column,
    refitted, of the ten that permutation ranks first.
    """
    found = []
    for task in filter(None, [type_task(types, groups, seed), near_miss_vs_hard(types, groups, seed)]):
        found.append(_of_task(task, list(columns), X[:, task.rows], seed, draws, jobs))
    return pd.concat(found, ignore_index=True)


def _of_task(task: Task, columns: list[str], X: np.ndarray, seed: int, draws: int, jobs: int) -> pd.DataFrame:
    every = np.arange(len(columns))
    family = np.array([column.partition(".")[0] for column in columns])
    variants = {("all", "all signals"): every}
    for name in dict.fromkeys(family):
        variants["only", name] = every[family == name]
        if (family != name).any():
            variants["all_but", name] = every[family != name]
    judged = _refitted(task, X, variants, jobs)
    permuted = list(side_by_side([delayed(_permuted)(task, own, seed + i) for i, own in enumerate(X)], jobs))
    judged |= {("permuted", columns[k]): np.stack([own[k] for own in permuted]) for k in every}
    values = {key: float(task.measure(scores)(np.ones((1, len(task.rows)))).mean()) for key, scores in judged.items()}
    signals = [key for key in sorted(values, key=values.get) if key[0] == "permuted"]
    strongest = [columns.index(name) for _, name in signals[:TOP]] if len(columns) > 1 else []
    judged |= _refitted(task, X, {("dropped", columns[k]): np.delete(every, k) for k in strongest}, jobs)
    return _with_intervals(task, judged, draws, seed)


def _refitted(task: Task, X: np.ndarray, variants: dict, jobs: int) -> dict[tuple[str, str], np.ndarray]:
    """Held-out calls or scores (seeds, m) of each variant."""
    tasks = [delayed(_held_out)(task, own[:, chosen]) for chosen in variants.values() for own in X]
    found = iter(side_by_side(tasks, jobs))
    return {key: np.stack([next(found) for _ in X]) for key in variants}


def _held_out(task: Task, X: np.ndarray) -> np.ndarray:
    found = np.empty(len(X))
    for rows in task.held_out:
        seen = np.delete(np.arange(len(X)), rows)
        found[rows] = task.fit(X[seen], task.target[seen])(X[rows])
    return found


def _permuted(task: Task, X: np.ndarray, seed: int) -> np.ndarray:
    """(signals, m): calls or scores with that signal's held-out values permuted."""
    generator = np.random.default_rng(seed)
    found = np.empty((X.shape[1], len(X)))
    for rows in task.held_out:
        seen = np.delete(np.arange(len(X)), rows)
        judge = task.fit(X[seen], task.target[seen])
        for k in range(X.shape[1]):
            shuffled = X[rows].copy()
            shuffled[:, k] = generator.permutation(shuffled[:, k])
            found[k, rows] = judge(shuffled)
    return found


def _with_intervals(task: Task, judged: dict[tuple[str, str], np.ndarray], draws: int, seed: int) -> pd.DataFrame:
    """The first one is that of all signals, against which the others' losses are paired."""
    measures = [task.measure(scores) for scores in judged.values()]

    def measured(weights: np.ndarray) -> np.ndarray:
        values = np.stack([measure(weights) for measure in measures], axis=2)
        return np.concatenate([values, values[:, :, :1] - values], axis=2)

    found = interval(measured, task.target, task.groups, draws=draws, seed=seed)
    rows = []
    for (how, what), value, loss in zip(judged, found[: len(judged)], found[len(judged) :], strict=True):
        ends = {"loss": loss.value, "loss_low": loss.low, "loss_high": loss.high}
        rows.append({"measure": task.name, "how": how, "what": what, **vars(value), **ends})
    return pd.DataFrame(rows)
