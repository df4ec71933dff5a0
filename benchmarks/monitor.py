"""How often the monitor raises the alarm on batches of 500 images: clean ones, and the same with noise of sigma .1.

No image of any batch or reference was trained on: each round draws its own reference and its own disjoint batches from
the 40,000 training images that the model did not get and the test images.
"""

import numpy as np
from tqdm import tqdm

from anomaly_mlflow.anomalies.graded_corruptions import GRADED, corrupted
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.split import stratified
from anomaly_mlflow.detection.drift import Drift, drift
from anomaly_mlflow.studies.characterisation import share
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.inference import accuracy, infer
from anomaly_mlflow.training.loop import fit
from benchmarks.images import TEST_ROWS, cifar, is_real
from benchmarks.measure import one_thread
from benchmarks.rows import Row, publish

TRAINED, REFERENCE, BATCH = 10_000, 5_000, 500
ROUNDS, OF_A_ROUND = 4, 50
NOMINAL, SIGMA, RULE_OF_THUMB = 0.05, 0.1, 0.25
NAMES = {
    "clean": "monitor: share of clean batches of 500 that raise the alarm",
    "noise": "monitor: share of batches of 500 with noise of sigma .1 that raise it",
    "rule": "monitor: share of clean batches that the rule of thumb (any index above .25) takes for drift",
    "single": "monitor: share of clean batches that tests at 5 % each take for drift",
}


def main() -> None:
    """Train once on 10,000 images, then test batches that it never saw."""
    one_thread()
    number = ROUNDS * OF_A_ROUND
    bars = {"clean": (0.0, NOMINAL + 2 * np.sqrt(NOMINAL * (1 - NOMINAL) / number)), "noise": (0.95, 1.0)}
    if not is_real():
        note = "not measured: random images teach nothing, set ANOMALY_DATA"
        publish([Row(name, None, None, None, 0, bars.get(key), note) for key, name in NAMES.items()])
        return
    trained, rest, test = _images()
    model, _ = fit(trained, configure("convnet", trained.image_shape, "cpu"), seed=0, device="cpu")
    images = np.concatenate([rest.images, test.images])
    clean, noisy = infer(model, images), infer(model, corrupted(GRADED["gaussian_noise"], images, SIGMA, 0))
    found = {"clean": [], "noise": []}
    with tqdm(total=2 * number, desc="batches", leave=False) as bar:
        for turn in range(ROUNDS):
            for key, reference, batch in _drawn(clean, noisy, turn):
                found[key].append(drift(reference, batch, seed=len(found[key])))
                bar.update()
    counts = {key: [one.alarm for one in results] for key, results in found.items()}
    counts |= {"rule": [_by_rule(one) for one in found["clean"]], "single": [_singly(one) for one in found["clean"]]}
    note = f"test accuracy {accuracy(model, test):.3f}, reference {REFERENCE:,}, {ROUNDS} drawn; n: batches"
    rows = [Row(NAMES[key], *_of(alarms), number, bars.get(key), note) for key, alarms in counts.items()]
    publish(rows)


def _images() -> tuple[Samples, Samples, Samples]:
    everything = cifar()
    rows = stratified(everything.labels, TRAINED, 0)
    return (
        everything.take(rows),
        everything.take(np.setdiff1d(np.arange(len(everything)), rows)),
        cifar(TEST_ROWS, "test"),
    )


def _drawn(clean: tuple, noisy: tuple, turn: int):
    """A reference of its own, and disjoint batches of other images, as they are and with noise."""
    order = np.random.default_rng(turn).permutation(len(clean[0]))
    reference = tuple(part[order[:REFERENCE]] for part in clean)
    for number in range(OF_A_ROUND):
        rows = order[REFERENCE + number * BATCH : REFERENCE + (number + 1) * BATCH]
        yield "clean", reference, tuple(part[rows] for part in clean)
        yield "noise", reference, tuple(part[rows] for part in noisy)


def _by_rule(one: Drift) -> bool:
    return bool((one.tests.loc[one.tests["statistic"] == "psi", "value"] > RULE_OF_THUMB).any())


def _singly(one: Drift) -> bool:
    return bool((one.tests["p"] <= NOMINAL).any())


def _of(alarms: list[bool]) -> tuple[float, float, float]:
    found = share(sum(alarms), len(alarms))
    return found.value, found.low, found.high


if __name__ == "__main__":
    main()
