"""The page of the type classifier: how well, how sure, what limits it, what each signal is worth."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from anomaly_mlflow.report.figures import ablation_plot, confusion_plot, reliability_plot, risk_coverage_plot
from anomaly_mlflow.report.page import Section, render_page

__all__ = ["types_page"]

RULES = (
    "Every row is judged by a classifier that saw no row of its source group; pooling, calibration, the factors of the"
    " calls and the threshold of abstention come from inner folds of the training rows alone.",
    "Probabilities are calibrated at the shares of this table, and calibration is measured on them as they are. A row"
    " is called the type of the highest factor times probability: the factors are those of the highest macro-F1 on"
    " the inner folds. Probabilities of gross errors and random flips are added before a row is called a merged type.",
    "A call of an anomaly is kept where its probability reaches the threshold at which 80 of 100 such calls were"
    " right on the inner folds; below it the classifier abstains.",
    "The given label is no signal: injected near misses and gross errors bear few labels, and to learn which ones"
    " would be to learn the injection.",
    "calibration_error is the expected calibration error of the top label over all types, 15 bins of equal mass; the"
    " mean of the types' own errors (classwise) stands beside it. A bootstrap draw adds noise to each bin, so that its"
    " intervals lie a little high.",
    "ood_f1 of a source: false alarms belong to no source, so each source is charged its share of them, as if all"
    " strangers were like its own.",
)


def types_page(
    parts: Mapping[str, pd.DataFrame],
    curves: Sequence[pd.DataFrame],
    points: Sequence[tuple[float, float]],
    rates: Mapping[str, float | str],
    facts: Mapping[str, object],
) -> tuple[dict[str, Figure], str]:
    """The figures by name, and the page as text.

    parts: type_scores (with the column `features`), confusion, confusion_merged, calibration, limits, ablation; curves
    and points: as `risk_curves` gives them; rates: as `anomalies.rates` counts them; facts: how it was made.
    """
    figures = {
        "confusion": confusion_plot(parts["confusion"]),
        "confusion_merged": confusion_plot(parts["confusion_merged"]),
        "reliability": reliability_plot(dict(tuple(parts["calibration"].groupby("of", sort=False)))),
        "risk_coverage": risk_coverage_plot(curves, points),
        "ablation": ablation_plot(parts["ablation"]),
    }
    merged = (figures["confusion_merged"], "Gross errors and random flips merged; mean over seeds, held-out rows.")
    six = (figures["confusion"], "All types apart.")
    sections = [
        Section("Scores", RULES, table=parts["type_scores"]),
        Section("Confusions", [_overlap(rates)], [merged, six]),
        Section("What limits it", _limits(parts), table=parts["limits"]),
        Section(
            "Calibration and abstention",
            [],
            [
                (figures["reliability"], "On the diagonal a probability means what it says; one line a seed."),
                (figures["risk_coverage"], "Ring: where the rule of abstention stands; one line a seed."),
            ],
        ),
        Section(
            "What each signal is worth",
            [
                "By the linear member alone, refitted for each variant (permutation apart). Dropping a column was tried"
                " for the ten that permutation ranks first. Signals that say the same stand in for each other, so"
                " that a small loss does not mean that a signal is worth nothing."
            ],
            [(figures["ablation"], "95 % intervals over seeds and source groups, losses paired.")],
            parts["ablation"],
        ),
    ]
    return figures, render_page("Which type of anomaly is it?", _lead(parts["type_scores"]), sections, facts)


def _lead(scores: pd.DataFrame) -> str:
    rows = {name: scores[scores["score"] == name].iloc[0] for name in ("macro_f1", "calibration_error")}
    said = [f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})" for row in rows.values()]
    return f"Macro-F1 {said[0]} with gross errors and random flips merged; expected calibration error {said[1]}."


def _overlap(rates: Mapping[str, float | str]) -> str:
    near, gross = (float(rates.get(f"overlap.{kind}", 0)) for kind in ("near_miss", "gross"))
    return (
        f"By construction {gross:.1%} of the random flips are a swap that gross errors make too, and {near:.1%} one"
        " that near misses make: in these nothing tells the types apart. The rest of the overlap is one of distance: a"
        " flip to a distant class looks like a gross error to every signal."
    )


def _limits(parts: Mapping[str, pd.DataFrame]) -> list[str]:
    scores, ablated, worst = parts["type_scores"], parts["ablation"], parts["limits"].iloc[:3]
    pooled = scores[scores["score"] == "macro_f1"].iloc[0]["value"]
    linear = ablated[(ablated["measure"] == "macro_f1") & (ablated["how"] == "all")]["value"].item()
    pairs = "; ".join(f"{row.first} and {row.second} (+{row.gain:.3f})" for row in worst.itertuples())
    return [
        f"The model: the linear member alone reaches {linear:.3f}, the pool with boosted trees {pooled:.3f}.",
        f"The types: macro-F1 would gain most if these were never confused: {pairs}.",
        "Hard images are the lowest margins of one model, cut at a share: images just above the cut are called clean"
        " and look the same, so that no signal can place the border exactly.",
    ]
