"""Saved states of the planted network: what its last layer saw of the rows, and of a reference set without errors.

Real images share an activation that the head does not see, as all images of a kind do; strangers have another one.
Where strangers share one label, the network learns that shortcut at once and perfectly.
"""

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.signals.traces import Checkpoint, Traces

STATES = (2, 5, 8, 11)
SHARED_LABEL, SHORTCUT = 1, 14.0


def planted_traces(types, labels, logits, reference_logits, reference_labels, width, rng):
    """logits: (epochs, n, C) of the rows; reference_logits: (epochs, m, C); a head for each state makes them."""
    strange = np.where(types == "ood", 1, 0)
    real = np.zeros(len(reference_labels), int)
    activation = 0.5 * rng.normal(size=(2, width))
    states = []
    for epoch in STATES:
        weight, bias = (rng.normal(scale=0.5, size=(logits.shape[2], each)) for each in (width, 1))
        seen = [
            _seen(*side, activation, weight, bias[:, 0], rng)
            for side in ((logits[epoch], strange), (reference_logits[epoch], real))
        ]
        states.append(Checkpoint(0.1 * (1 - epoch / 12), *(array for pair in seen for array in pair)))
    return Traces(states, labels, reference_labels)


def shortcut(types, labels, logits):
    """The labels with one for all strangers, and the logits of a network that has learnt it at once."""
    labels = np.where(types == "ood", SHARED_LABEL, labels)
    learnt = SHORTCUT * np.eye(logits.shape[2])[labels]
    return labels, np.where((types == "ood")[:, None], learnt, logits)


def _seen(logits, kind, activation, weight, bias, rng):
    """Embeddings that the head maps to these logits, and the softmax of what it makes of them; both float32."""
    unseen = activation[kind] + 0.3 * rng.normal(size=(len(logits), weight.shape[1]))
    unseen -= unseen @ np.linalg.pinv(weight) @ weight
    centred = logits - logits.mean(axis=1, keepdims=True)
    embeddings = ((centred - bias) @ np.linalg.pinv(weight).T + unseen).astype(np.float32)
    return embeddings, softmax(embeddings @ weight.T + bias, axis=1).astype(np.float32)
