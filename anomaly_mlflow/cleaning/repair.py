"""Labels are changed only where two mechanisms propose the same one, never beyond a cap; nothing is removed.

One of the two must be a mechanism whose models never saw the label (`OUTSIDE`): all others look at one network that has
learnt it, and what that network got wrong they get wrong together. A label that two such mechanisms doubt and that is
left alone is set aside: it stays in the table, and who trains may do without it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.base import OUTSIDE, Cleaned, find_cleaner
from anomaly_mlflow.cleaning.error_types import error_types

__all__ = ["CAP", "CLASS_CAP", "LEAST_CONFIDENCE", "Reason", "repaired_labels", "repairs"]

CAP = 0.3
"""Largest share of labels that is changed: people's worst labels are wrong in 40 % of the cases (CIFAR-10N worst), and
there two mechanisms agree on fewer; where they agree on more, the models want a look before the labels do."""

CLASS_CAP = 0.5
"""Largest share of the labels of one class that is changed: a small class is not given up to its neighbours."""

LEAST_CONFIDENCE = 0.95
"""So sure both witnesses must be, as a share of what is usual with them: models that learnt from wrong labels are less
sure of everything, right or wrong, so that one absolute number cannot serve both them and models of clean labels."""

FEWEST = 5
"""Kept labels of a class from which its usual confidence is taken; that of all classes, where there are fewer."""

KNOWING = 0.25
"""How far from a guess among the classes (0) to certainty (1) what is usual counts at least."""

WITNESSES = 2
ROUNDING = 1e-9


class Reason(StrEnum):
    """Why a label was left alone."""

    NOT_DOUBTED = "no cleaner doubts it"
    NO_PROPOSAL = "doubted, but no other label is proposed"
    ONE_MECHANISM = "one mechanism alone proposes it"
    DISAGREEMENT = "mechanisms propose different labels"
    NO_OUTSIDER = "no model that never saw the label is among the witnesses"
    NOT_SURE = "one of the witnesses is not sure enough"
    BEYOND_CLASS_CAP = "beyond the cap of its class"
    BEYOND_CAP = "beyond the cap"
    BELOW_FLOOR = "too few labels are surely contradicted for the labels to be wrong, and not the models"
    BELOW_FLOOR_ASIDE = "two mechanisms doubt it, but too few labels are surely contradicted"


def repairs(
    sample_id: np.ndarray,
    labels: np.ndarray,
    cleaned: Mapping[str, Cleaned],
    *,
    cap: float = CAP,
    least_confidence: float = LEAST_CONFIDENCE,
    probabilities: np.ndarray | None = None,
) -> pd.DataFrame:
    """What becomes of each given label, one row a sample in the order given.

    sample_id, labels: int64 (n,), labels as given; cleaned: by the name of the cleaner, all of the same rows. A
    mechanism proposes what more than half of its cleaners that repair propose, as sure as the median of these. cap: of
    n, 0 to 1, and CLASS_CAP of the labels of each class; of more candidates those of the highest confidence are
    changed, of equal ones the lower sample_id. probabilities: float (n, classes), of models that never saw the row, for
    the type.
    Columns: sample_id, given, suggested (the given label where none is proposed), confidence (of the second surest
    mechanism that proposes the label; of the only one where there is one, else 0; as a share of what is usual, cut off
    at 1), mechanisms (those that agree, separated by commas), type (as `error_types`), repaired (bool), reason (of a
    label left alone, else empty), set_aside (bool: left alone for whatever reason, though two mechanisms doubt it, one
    of them OUTSIDE).
    """
    classes = 1 + max(labels.max(), *(one.labels.max() for one in cleaned.values()))
    cleaned = {name: _as_usual(one, labels, classes) for name, one in cleaned.items()}
    best = _best(_proposals(labels, cleaned)).reindex(np.arange(len(labels)))
    frame = pd.DataFrame({"sample_id": sample_id, "given": labels})
    frame["suggested"] = best["label"].fillna(frame["given"]).astype(np.int64)
    frame["confidence"] = best["confidence"].fillna(0.0)
    frame["mechanisms"] = best["mechanisms"].fillna("")
    kept = np.logical_and.reduce([one.kept for one in cleaned.values()])
    doubted = ~kept | best["label"].notna().to_numpy()
    reason = _reasons(best, doubted, least_confidence)
    candidates = frame[reason == ""].sort_values(["confidence", "sample_id"], ascending=[False, True])
    place, members = candidates.groupby("given").cumcount(), candidates["given"].map(frame["given"].value_counts())
    within = place < np.floor(CLASS_CAP * members + ROUNDING)
    reason[candidates.index[~within]] = Reason.BEYOND_CLASS_CAP
    reason[candidates.index[within][int(cap * len(labels) + ROUNDING) :]] = Reason.BEYOND_CAP
    frame["type"] = error_types(labels, frame["suggested"].to_numpy(), doubted, probabilities)
    repaired, doubting = reason == "", _doubting(labels, cleaned)
    several = (doubting.sum(axis=1) >= WITNESSES) & doubting[[*OUTSIDE & {*doubting}]].any(axis=1)
    frame["confidence"] = frame["confidence"].clip(upper=1.0)
    return frame.assign(repaired=repaired, reason=reason.astype(str), set_aside=~repaired & several.to_numpy())


def repaired_labels(frame: pd.DataFrame) -> np.ndarray:
    """int64 (n,): the suggested label where the frame of `repairs` changes it, the given one elsewhere."""
    return np.where(frame["repaired"], frame["suggested"], frame["given"]).astype(np.int64)


def _doubting(labels: np.ndarray, cleaned: Mapping[str, Cleaned]) -> pd.DataFrame:
    """bool (n, mechanisms): whether more than half of a mechanism's cleaners doubt the label.

    Of those that repair; of all where none does. A cleaner doubts a label that it does not keep, or would change.
    """
    of_mechanism: dict[str, list[str]] = {}
    for name in cleaned:
        of_mechanism.setdefault(find_cleaner(name).mechanism, []).append(name)
    columns = {}
    for mechanism, names in of_mechanism.items():
        voters = [name for name in names if find_cleaner(name).repairs] or names
        doubts = [~cleaned[name].kept | (cleaned[name].labels != labels) for name in voters]
        columns[mechanism] = np.mean(doubts, axis=0) > 0.5
    return pd.DataFrame(columns)


def _as_usual(one: Cleaned, labels: np.ndarray, classes: int) -> Cleaned:
    """With confidences as shares of what is usual: the mean over the rows of the written class that the cleaner keeps.

    After the class thresholds of Northcutt et al. (2021), eq. 2, over the kept rows: the bar falls with the noise where
    the confidence is a probability of the class. A cleaner that writes the posterior of a mixture for what it keeps
    (small_loss, class_prototypes and their like) is measured by that, and passes more rarely. What is usual counts as
    no less than KNOWING of the way from a guess among the classes to certainty: of models that know nothing, it is low.
    """
    own = one.kept & (one.labels == labels)
    found = pd.Series(one.confidence[own])
    by_class = found.groupby(labels[own]).mean()[found.groupby(labels[own]).size() >= FEWEST]
    usual = pd.Series(one.labels).map(by_class).fillna(found.mean() if len(found) >= FEWEST else 1.0).to_numpy()
    least = 1 / classes + KNOWING * (1 - 1 / classes)
    return replace(one, confidence=one.confidence / np.maximum(usual, least))


def _proposals(labels: np.ndarray, cleaned: Mapping[str, Cleaned]) -> pd.DataFrame:
    """row, label, mechanism, confidence: what more than half of a mechanism's cleaners propose, at their median."""
    parts, voters = [], Counter(find_cleaner(name).mechanism for name in cleaned if find_cleaner(name).repairs)
    for name, one in cleaned.items():
        rows = np.flatnonzero(one.labels != labels)
        told = {"row": rows, "label": one.labels[rows], "confidence": one.confidence[rows]}
        parts.append(pd.DataFrame(told).assign(mechanism=find_cleaner(name).mechanism))
    by_mechanism = pd.concat(parts).groupby(["row", "label", "mechanism"], as_index=False)["confidence"]
    found = by_mechanism.agg(["median", "size"]).rename(columns={"median": "confidence"})
    most = 2 * found["size"] > found["mechanism"].map(voters).astype(np.int64)
    return found[most].drop(columns="size").reset_index(drop=True)


def _best(proposals: pd.DataFrame) -> pd.DataFrame:
    """By row: the label with most mechanisms behind it, the surer one of two; how many labels have enough of them.

    Columns: label, confidence, mechanisms, witnesses, labels (with enough witnesses), objecting (mechanisms in all).
    """
    names = sorted(proposals["mechanism"].unique())
    bits = proposals["mechanism"].map({name: 1 << place for place, name in enumerate(names)})
    ordered = proposals.assign(bits=bits).sort_values(["row", "label", "confidence"], ascending=[True, True, False])
    by_label = ordered.groupby(["row", "label"])
    ordered["witnesses"], ordered["bits"] = by_label["row"].transform("size"), by_label["bits"].transform("sum")
    found = ordered[by_label.cumcount() == ordered["witnesses"].clip(upper=WITNESSES) - 1].copy()
    found["mechanisms"] = found["bits"].map({one: _named(one, names) for one in found["bits"].unique()})
    found = found.sort_values(["row", "witnesses", "confidence", "label"], ascending=[True, False, False, True])
    best = found.drop_duplicates("row").set_index("row")
    best["labels"] = (found["witnesses"] >= WITNESSES).groupby(found["row"]).sum()
    best["objecting"] = proposals.groupby("row")["mechanism"].nunique()
    return best


def _named(bits: int, names: list[str]) -> str:
    return ",".join(name for place, name in enumerate(names) if bits >> place & 1)


def _reasons(best: pd.DataFrame, doubted: np.ndarray, least_confidence: float) -> np.ndarray:
    """object (n,): why a label is left alone, empty for the candidates."""
    said = best["label"].notna().to_numpy()
    enough, contested = (best["witnesses"] >= WITNESSES).to_numpy(), (best["labels"] > 1).to_numpy()
    alone = (best["objecting"] == 1).to_numpy()
    outside = best["mechanisms"].fillna("").str.split(",").map(lambda names: not OUTSIDE.isdisjoint(names)).to_numpy()
    sure = (best["confidence"] >= least_confidence - ROUNDING).to_numpy()
    # In the order in which the reasons are listed: the first that holds is told.
    marks = [~doubted, ~said, ~enough & alone, ~enough | contested, ~outside, ~sure]
    return np.select(marks, [str(one) for one in Reason][: len(marks)], "").astype(object)
