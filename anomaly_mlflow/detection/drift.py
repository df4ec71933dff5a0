"""Does a batch of unlabelled images look to a model like images that it is known to meet?

What the model says of the batch is compared with what it says of a reference of images that it was not trained on: of
those that it was, it is surer, and every honest batch would differ. No label enters, so a drift of P(Y|X) alone (other
labels for the same images) changes nothing at all: that is the blind spot of every monitor without labels.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import entr, logsumexp, softmax
from scipy.stats import ks_2samp

from anomaly_mlflow.detection.stability import stability_test
from anomaly_mlflow.errors import BadData

__all__ = ["ALPHA", "CATEGORIES", "LEVELS", "Drift", "drift", "holm"]

ALPHA = 0.05
"""Share of clean batches that may raise an alarm, all tests together."""

CATEGORIES = {"energy": "score", "confidence": "confidence", "entropy": "entropy"}
"""Category of a quantity; all others, the components, are of the category `embedding`."""

EMBEDDING = "embedding"
WEIGHTS = dict.fromkeys([*CATEGORIES.values(), EMBEDDING], 0.25)
LEVELS = {0.7: "critical", 0.5: "high", 0.3: "medium", 0.0: "low"}
COMPONENTS = 4
SINGULAR = 1e-10
"""Components with less than this share of the largest variance are rounding of float32 embeddings."""

Outputs = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Drift:
    """A batch beside the reference, as one model sees them.

    tests: a row for each quantity and statistic (psi, ks): category, quantity, statistic, value, p, adjusted_p (Holm
    over all rows), triggered (adjusted_p at most .05). reference, batch: the quantities, float64, a row an image.
    """

    tests: pd.DataFrame
    reference: pd.DataFrame
    batch: pd.DataFrame

    @property
    def triggered(self) -> list[str]:
        """The categories in which any test is triggered."""
        return list(dict.fromkeys(self.tests.loc[self.tests["triggered"], "category"]))

    @property
    def alarm(self) -> bool:
        """Whether any category is triggered; of clean batches at most 5 % are."""
        return bool(self.triggered)

    @property
    def severity(self) -> float:
        """Weighted share, 0 to 1, of the active categories that are triggered; active: it has a test."""
        active = dict.fromkeys(self.tests["category"])
        return sum(WEIGHTS[name] for name in self.triggered) / sum(WEIGHTS[name] for name in active)

    @property
    def level(self) -> str:
        """The severity in a word: low, from .3 on medium, from .5 on high, from .7 on critical."""
        return next(word for bound, word in LEVELS.items() if self.severity >= bound)


def drift(reference: Outputs, batch: Outputs, *, seed: int = 0) -> Drift:
    """Test whether the images of a batch and of the reference can be told apart by what a model says of them.

    reference, batch: embeddings float (n, d) and logits float (n, classes) of images that the model was not trained on;
    seed: of the permutations. Exchangeable images (drawn alike, one by one) raise an alarm in at most 5 % of batches,
    whatever the sizes. Raises BadData for shapes that do not fit, values that are not finite, an empty side, and a
    model that gives the same output for every image.
    """
    _check(reference, batch)
    values = _quantities(np.concatenate([reference[0], batch[0]]), np.concatenate([reference[1], batch[1]]))
    if values.empty:
        raise BadData("the model gives the same output for every image: nothing can be compared")
    known, new = values.iloc[: len(reference[0])], values.iloc[len(reference[0]) :]
    index, index_p = stability_test(known.to_numpy(), new.to_numpy(), seed=seed)
    tests = []
    for position, name in enumerate(values):
        found = ks_2samp(known[name], new[name])
        category = CATEGORIES.get(name, EMBEDDING)
        tests.append((category, name, "psi", index[position], index_p[position]))
        tests.append((category, name, "ks", float(found.statistic), float(found.pvalue)))
    frame = pd.DataFrame(tests, columns=["category", "quantity", "statistic", "value", "p"])
    frame["adjusted_p"] = holm(frame["p"].to_numpy())
    frame["triggered"] = frame["adjusted_p"] <= ALPHA
    return Drift(frame, known.reset_index(drop=True), new.reset_index(drop=True))


def holm(p: np.ndarray) -> np.ndarray:
    """p values adjusted for their number, float64 (k,): their tests err at all in at most a share alpha, however they
    depend on each other (Holm 1979, Scandinavian Journal of Statistics 6).
    """
    order, adjusted = np.argsort(p), np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(np.arange(len(p), 0, -1) * p[order])
    return np.minimum(adjusted, 1)


def _quantities(embeddings: np.ndarray, logits: np.ndarray) -> pd.DataFrame:
    """Those quantities that vary, a row an image: free energy, 1 - max p, entropy / ln C (higher = more suspicious),
    and components of the embedding, which have no such direction: every test is two-sided.
    """
    logits = logits.astype(np.float64)
    probabilities = softmax(logits, axis=1)
    columns = {
        "energy": -logsumexp(logits, axis=1),
        "confidence": 1 - probabilities.max(axis=1),
        "entropy": entr(probabilities).sum(axis=1) / np.log(logits.shape[1]),
    }
    scores = pd.DataFrame({name: values for name, values in columns.items() if np.ptp(values) > 0})
    return pd.concat([scores, _components(embeddings)], axis=1)


def _components(embeddings: np.ndarray) -> pd.DataFrame:
    """Leading principal components of all images together.

    Axes fitted to the reference alone would fit it better than any new image, and so tell clean batches from it.
    """
    centred = embeddings - embeddings.mean(axis=0, dtype=np.float64)
    variance, axes = np.linalg.eigh(centred.T @ centred)
    leading = [place for place in range(len(variance))[::-1] if variance[place] > SINGULAR * max(variance[-1], 0)]
    projected = centred @ axes[:, leading[:COMPONENTS]]
    return pd.DataFrame(projected, columns=[f"component_{number}" for number in range(1, 1 + projected.shape[1])])


def _check(reference: Outputs, batch: Outputs) -> None:
    for name, (embeddings, logits) in (("reference", reference), ("batch", batch)):
        if not len(logits) or len(embeddings) != len(logits):
            raise BadData(f"the {name} has {len(embeddings)} embeddings and {len(logits)} logits; both must be there")
        if not (np.isfinite(embeddings).all() and np.isfinite(logits).all()):
            raise BadData(f"what the model says of the {name} is not finite")
    for name, one, other in zip(("embeddings", "logits"), reference, batch, strict=True):
        if one.ndim != 2 or one.shape[1:] != other.shape[1:]:
            raise BadData(f"the {name} of reference and batch are of shapes {one.shape} and {other.shape}")
