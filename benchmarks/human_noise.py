"""Label errors that people made (CIFAR-10N): our detectors and the peers' on the same rows, from the same trainings.

`python -m benchmarks.human_noise`: the 10,000 rows that nothing was chosen on; `--rows tuning`: those that the method
was fixed on; `--images 50000`: all of them. Trainings that are done are kept in the cache and not made again. MAP-D
needs trainings with probes of its own: two pairs of them cost what the five folds cost.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.data.human_labels import human_labels
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.split import stratified
from anomaly_mlflow.detection.measures import auroc_of, average_precision_of, difference_of
from anomaly_mlflow.detection.precision import precision_at_positives_of
from anomaly_mlflow.detection.statistics import interval
from anomaly_mlflow.signals.archaeology import suite_shares
from anomaly_mlflow.training.config import TrainConfig, configure
from anomaly_mlflow.training.probes import SUITES, probe_runs
from benchmarks.human_scores import flags, ours, peers
from benchmarks.human_trainings import Round, cross_fit, digest
from benchmarks.images import cifar, labels_folder

EPOCHS, SMOOTHING, DRAWS = 12, 0.2, 1000
SIZE = 10_000
AIMS = {(SIZE, "aggregate"): 0.58, (SIZE, "random1"): 0.73, (SIZE, "worst"): 0.86, (50_000, "aggregate"): 0.67}


def main() -> None:
    """Train what is missing, print one table a label set, write them beside the trainings."""
    options = _options()
    truth = _rows(options.images, options.rows)
    for column in options.labels.split(","):
        given = human_labels(f"parquet:{labels_folder()}/labels.parquet#{column}", truth.sample_id, truth.classes)[0]
        wrong, started = given != truth.labels, time.process_time()
        config = _config(truth, options)
        rounds = [
            cross_fit(replace(truth, labels=given), config, seed, options.cache, options.jobs)
            for seed in range(options.seeds)
        ]
        name = f"{options.rows}-{options.images}-{options.model}-{column}"
        map_d = _map_d(replace(truth, labels=given), config, options)
        _tell(name, rounds, map_d, given, wrong, options, AIMS.get((options.images, column)), _fresh(options))
        print(f"CPU seconds of this process: {time.process_time() - started:.0f}\n", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=SIZE, choices=(SIZE, 50_000), help="rows (default %(default)s)")
    parser.add_argument("--rows", default="scored", choices=("scored", "tuning"), help="which 10,000 rows")
    parser.add_argument("--labels", default="aggregate,random1,worst", help="CIFAR-10N columns (default %(default)s)")
    parser.add_argument("--model", default="convnet", help="model of the trainings (default %(default)s)")
    parser.add_argument("--seeds", type=int, default=1, help="rounds of five trainings (default %(default)s)")
    parser.add_argument(
        "--map_d", type=int, default=2, help="pairs of trainings for MAP-D, 0 leaves it out (default %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="trainings side by side (default %(default)s)")
    parser.add_argument("--cache", type=Path, default=Path("human_noise_cache"), help="folder of trainings and tables")
    return parser.parse_args()


def _rows(images: int, which: str) -> Samples:
    """CIFAR-10 with its own labels: a stratified 10,000 of seed 0 (tuning), as many of the rest (scored), or all."""
    everything = cifar()
    if images == len(everything):
        return everything
    tuning = stratified(everything.labels, SIZE, 0)
    if which == "tuning":
        return everything.take(tuning)
    rest = np.setdiff1d(np.arange(len(everything)), tuning)
    return everything.take(rest[stratified(everything.labels[rest], SIZE, 0)])


def _fresh(options: argparse.Namespace) -> np.ndarray:
    """bool (n,): the rows of all 50,000 on which nothing was chosen; empty where none or all of the rows are such."""
    labels = cifar().labels if options.images > SIZE else np.empty(0, np.int64)
    fresh = np.ones(len(labels), bool)
    fresh[stratified(labels, SIZE, 0) if len(labels) else []] = False
    return fresh


def _config(samples: Samples, options: argparse.Namespace) -> TrainConfig:
    return configure(options.model, samples.image_shape, "cpu", epochs=EPOCHS, label_smoothing=SMOOTHING)


def _map_d(samples: Samples, config: TrainConfig, options: argparse.Namespace) -> dict[str, np.ndarray]:
    """Share of wrong-label probes among the nearest (Siddiqui et al. 2022), mean over pairs of trainings."""
    shares = []
    for pair in range(options.map_d):
        folder = options.cache / f"map_d-{digest(samples, config, pair)}"
        runs = probe_runs(samples, config, seed=100 + pair, folder=folder, device="cpu", jobs=options.jobs)
        shares.append(suite_shares(runs)[:, SUITES.index("wrong_label")])
    return {"MAP-D": np.mean(shares, axis=0)} if shares else {}


def _tell(
    name: str,
    rounds: list[Round],
    map_d: dict[str, np.ndarray],
    given: np.ndarray,
    wrong: np.ndarray,
    options: argparse.Namespace,
    aim: float | None,
    fresh: np.ndarray,
) -> None:
    first, other = [_mean([one(found, given) for found in rounds]) for one in (ours, peers)]
    other |= map_d
    table = _table(first | other, wrong)
    main, rivals = next(iter(first)), best_peers(table["AP"], list(other))
    paired = {rival: _paired(first[main], other[rival], wrong) for rival in rivals}
    table.insert(0, "score", table.index)
    table.to_csv(options.cache / f"{name}.csv", index=False)
    found = _filters(rounds, given, wrong, first[main])
    found.to_csv(options.cache / f"{name}-filters.csv", index=False)
    (options.cache / f"{name}.json").write_text(json.dumps({"less": paired, "aim": aim}, indent=1))
    print(f"{name}: {len(wrong):,} rows, {wrong.mean():.2%} wrong, {5 * len(rounds)} trainings")
    print(table.drop(columns="score").to_string(float_format="{:.3f}".format))
    for rival, gaps in paired.items():
        for measure, (value, low, high) in gaps.items():
            print(f"{main} less {rival}, {measure}: {value:+.3f} [{low:+.3f}, {high:+.3f}]")
    if len(fresh):
        row = _table({main: first[main][fresh]}, wrong[fresh]).loc[main]
        counts = f"on the {fresh.sum():,} rows on which nothing was chosen"
        print(f"AP {row['AP']:.3f} [{row['AP low']:.3f}, {row['AP high']:.3f}] {counts}")
    if aim:
        print(
            f"AP {table.loc[main, 'AP']:.3f}, aim {aim}: {'reached' if table.loc[main, 'AP'] >= aim else 'NOT REACHED'}"
        )
    print(found.to_string(index=False, float_format="{:.3f}".format))


def best_peers(precision: pd.Series, peers: list[str]) -> list[str]:
    """cleanlab's best score and, where another peer's is better, the best of all: chosen on the scored rows."""
    ranked = sorted(peers, key=lambda key: -precision[key])
    cleanlab = next(key for key in ranked if key.startswith("cleanlab"))
    return list(dict.fromkeys([cleanlab, ranked[0]]))


def _mean(scores: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {key: np.mean([one[key] for one in scores], axis=0) for key in scores[0]}


def _measures(score: np.ndarray, wrong: np.ndarray) -> dict:
    fold = np.zeros(len(wrong), np.int64)
    return {
        "AUROC": auroc_of(score, wrong, fold),
        "AP": average_precision_of(score, wrong, fold),
        "P@errors": precision_at_positives_of(score, wrong),
    }


def _table(scores: dict[str, np.ndarray], wrong: np.ndarray) -> pd.DataFrame:
    """Each measure with the ends of its 95 % interval over rows."""
    lines = {}
    for key, score in tqdm(scores.items(), "intervals", leave=False, disable=None):
        lines[key] = {}
        for name, measure in _measures(score, wrong).items():
            (found,) = interval(measure, wrong, np.arange(len(wrong)), draws=DRAWS)
            lines[key] |= {name: found.value, f"{name} low": found.low, f"{name} high": found.high}
    return pd.DataFrame.from_dict(lines, orient="index")


def _paired(ours: np.ndarray, peer: np.ndarray, wrong: np.ndarray) -> dict[str, tuple[float, float, float]]:
    one, other = _measures(ours, wrong), _measures(peer, wrong)
    found = {}
    for name in one:
        (gap,) = interval(difference_of(one[name], other[name]), wrong, np.arange(len(wrong)), draws=DRAWS)
        found[name] = (gap.value, gap.low, gap.high)
    return found


def _filters(rounds: list[Round], given: np.ndarray, wrong: np.ndarray, score: np.ndarray) -> pd.DataFrame:
    """F1 of cleanlab's filters on the mean probabilities, and of as many of our most suspicious rows."""
    order, lines = np.argsort(-score), []
    for name, flagged in flags(rounds, given).items():
        same = np.zeros(len(wrong), bool)
        same[order[: flagged.sum()]] = True
        lines.append((name, int(flagged.sum()), _f1(flagged, wrong), _f1(same, wrong)))
    return pd.DataFrame(lines, columns=["cleanlab filter", "flagged", "F1", "F1 of ours, as many flagged"])


def _f1(flagged: np.ndarray, wrong: np.ndarray) -> float:
    return float(2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum()))


if __name__ == "__main__":
    main()
