"""Verdicts and rates in plain sentences."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from anomaly_mlflow.report.palette import PLURALS
from anomaly_mlflow.studies.base import Part, Rule, Verdict
from anomaly_mlflow.studies.claims import CLAIMS, CONTROL, find_part

__all__ = ["claim_cards", "part_sentence", "rate_sentences", "verdict_sentence"]

SAID = {
    Verdict.SUPPORTED: "The data supports this.",
    Verdict.REFUTED: "The data speaks against this.",
    Verdict.UNDECIDED: "The data does not settle this.",
}


def claim_cards(verdicts: pd.DataFrame) -> list[dict[str, object]]:
    """Per claim its name, title, statement, verdict and the sentences of its parts."""
    cards = []
    for claim in CLAIMS:
        rows = verdicts[verdicts["claim"] == claim.name]
        verdict = Verdict(rows.loc[rows["metric"] == "verdict", "verdict"].item())
        parts = [(find_part(claim.name, row["arm"], row["metric"]), row) for _, row in rows.iterrows()]
        sentences = [(part_sentence(part, row), _own_verdict(row)) for part, row in parts if part is not None]
        cards.append({"claim": claim, "verdict": verdict, "said": SAID[verdict], "sentences": sentences})
    return cards


def part_sentence(part: Part, row: pd.Series) -> str:
    """What was measured, what came out, and what the claim needs."""
    pair = f"{PLURALS[part.positives]} from {PLURALS[part.negatives]}"
    if np.isnan(row["value"]):
        return f"Telling {pair} by {part.arm}: too few rows or sources to say."
    ends = f"{_interval(part, row)}; {_needed(part)}"
    if len(part.arms) == 1:
        return f"Telling {pair} by {part.arm}: AUROC {row['value']:.3f} ({ends})."
    first, second = (arm.name for arm in part.arms)
    beside = "" if part.decides else " This comparison has no vote."
    against = f"{second} (uncertainty and dynamics.final_loss)" if part.arms[1] == CONTROL else second
    return f"Telling {pair} by {first} rather than {against}: AUROC {row['value']:+.3f} ({ends}).{beside}"


def verdict_sentence(verdicts: pd.DataFrame) -> str:
    """All verdicts in one line, such as `H1 supported, H2 refuted, H3 undecided`."""
    whole = verdicts[verdicts["metric"] == "verdict"]
    return ", ".join(f"{row.claim} {row.verdict}" for row in whole.itertuples())


def rate_sentences(rates: Mapping[str, float | str]) -> list[str]:
    """What was really injected, beyond counts and shares of the types (these stand in a table)."""
    known = {
        "label_noise": "{:.1%} of all images show a class and carry the label of another.",
        "overlap.near_miss": "{:.1%} of the random flips happen to be a swap that near misses make too.",
        "overlap.gross": "{:.1%} of the random flips happen to be a swap that gross errors make too.",
    }
    apart = ("count", "share", "convention")
    others = {key: value for key, value in rates.items() if key.partition(".")[0] not in apart}
    said = [known[key].format(value) if key in known else f"{key}: {value:.4g}" for key, value in others.items()]
    if "convention" in rates:
        asked, real = rates["convention.rate_asked"], rates["convention.rate_real"]
        said.append(
            f"Label errors were made by the convention {rates['convention']} of other papers and by no share: "
            f"rate asked {asked:.1%}, labels really changed {real:.1%}."
        )
    return said


def _interval(part: Part, row: pd.Series) -> str:
    if np.isnan(row["low"]):
        return "no interval: too few independent sources"
    return f"{100 * part.level:.0f} % interval {row['low']:.3f} to {row['high']:.3f}"


def _needed(part: Part) -> str:
    if part.rule is Rule.WITHIN:
        return "the claim needs it within {:.2f} to {:.2f}".format(*part.margin)
    return f"the claim needs its lower end {part.rule} {part.margin[0]:.2f}"


def _own_verdict(row: pd.Series) -> str:
    return row["verdict"] if isinstance(row["verdict"], str) else ""
