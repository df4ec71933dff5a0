"""Saved states of a network that knows nothing, for the algebra of influence."""

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.signals.traces import Checkpoint, Traces

N, M, D, C = 90, 40, 5, 4


def random_traces(states=3, classes=C, m=M):
    rng = np.random.default_rng(7)

    def state(number):
        sides = [(rng.normal(size=(n, D)), softmax(2 * rng.normal(size=(n, classes)), axis=1)) for n in (N, m)]
        return Checkpoint(0.1 / (number + 1), *(array.astype(np.float32) for side in sides for array in side))

    made = [state(number) for number in range(states)]
    return Traces(made, rng.integers(0, classes, N), rng.integers(0, classes, m))
