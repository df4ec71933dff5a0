"""A report on planted tables, with a class name that is hostile."""

import numpy as np
import synthetic

from anomaly_mlflow.anomalies.types import MADE, AnomalyType, listed
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.by_type import auroc_by_type
from anomaly_mlflow.detection.explain import Explanation
from anomaly_mlflow.report.content import Report
from anomaly_mlflow.report.curves import Curves
from anomaly_mlflow.report.gallery import gallery
from anomaly_mlflow.studies.hypotheses import judge

HOSTILE = '<script>alert("x")</script>'
COUNTS = {AnomalyType.CLEAN: 60, **{kind: 25 for kind in MADE[1:]}}


def explanation(truth, seed=0):
    """As the six-type classifier would leave it: each row most probably of its own type, for two reasons."""
    generator = np.random.default_rng(seed)
    types = listed(truth["anomaly_type"])
    codes = np.array([types.index(kind) for kind in truth["anomaly_type"]])
    columns, n = list(synthetic.COLUMNS), len(truth)
    probability = generator.random((n, len(types))) * 0.1
    probability[np.arange(n), codes] += 0.5
    probability[:, [code for code in range(len(types)) if code not in codes]] = 0
    values = generator.normal(size=(n, len(columns), len(types))).astype(np.float32) * (probability > 0).any(axis=0)
    percentile = generator.random((n, len(columns)))
    called = probability.argmax(axis=1)
    return Explanation(truth["sample_id"].to_numpy(), types, columns, percentile, probability, called, values)


def study(counts=COUNTS, classes=("cat", HOSTILE, "truck $5")):
    """Everything the report shows, from planted tables."""
    truth = synthetic.ledger(counts)
    generator = np.random.default_rng(0)
    n = len(truth)
    order = generator.permutation(n)
    images = generator.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    samples = Samples(
        images, truth["given_label"].to_numpy()[order], truth["sample_id"].to_numpy()[order], classes, "planted"
    )
    features = synthetic.features(truth)
    found = explanation(truth)
    loss = generator.random((6, n)) + (truth["anomaly_type"] != AnomalyType.CLEAN).to_numpy()
    return Report(
        samples=samples,
        ledger=truth,
        rates={"count.clean": 60.0, "label_noise": 0.25, "overlap.gross": 0.5, "other": 2.0},
        curves=[Curves(loss, np.exp(-loss), np.linspace(0.3, 0.7, 6))] * 2,
        features=features,
        auroc=auroc_by_type(features, truth),
        verdicts=judge(synthetic.whole(features), truth, np.arange(n), draws=50),
        explanation=found,
        gallery=gallery(found, samples, truth, (truth["given_label"].to_numpy() + 1) % 3, count=5),
        settings={"epochs": 6, "dataset": f"imagefolder:/data/{HOSTILE}"},
        environment={"python": "3.11", "processor": "two cores"},
        links={"train_noisy": "http://localhost:5000/#/runs/1"},
    )
