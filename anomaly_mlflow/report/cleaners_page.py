"""The page of the study of cleaners: selection and repair on every noise, and what retraining gains."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from anomaly_mlflow.report.page import Section, render_page
from anomaly_mlflow.studies.cleaner_measures import MEASURES
from anomaly_mlflow.studies.cleaner_table import NoiseResult
from anomaly_mlflow.studies.repair_measures import MEASURES as REPAIRED

__all__ = ["best_lines", "cleaners_page", "repair_section"]

HOW = (
    "Every cleaner sees the same trainings on the given labels and nothing of the truth. CPU seconds are those of the"
    " cleaner alone, with all that it derives from the evidence; the trainings that made the evidence are not counted.",
    "A seed is another draw of everything: images where a part is drawn, wrong labels, folds, trainings. Intervals are"
    " 95 % bootstrap intervals over seeds and, within right and wrong labels, source groups.",
    "Which cleaner is best on these data is known only after the truth was read: a default must be chosen on other data"
    " than it is reported on.",
)
REPAIR = (
    "A label is changed where two mechanisms propose the same one, one of them a model that never saw the label, both"
    " as sure as `repair_confidence` asks: a share of how sure each is, on average, of the labels of that class that it"
    " keeps. Below one, the lower the bar, the more is mended, and the more is broken. Here nothing is left"
    " alone for the floor (`repair_floor`), which may leave all labels alone in the retrainings.",
)
CAPTION = (
    "Shaded: 95 % over seeds and, within given classes, source groups; dotted: the confidence that was asked for. A"
    " share of the changed labels is told only where labels were changed in every seed."
)


def cleaners_page(
    results: Sequence[NoiseResult],
    table: pd.DataFrame,
    lines: pd.DataFrame,
    gains: pd.DataFrame | None,
    figure: Figure,
    facts: Mapping[str, object],
    further: Sequence[Section] = (),
) -> str:
    """One self-contained page; table, lines: as `cleaners_table` and `wide_table`; gains: as `gains_table`, or None.

    further: sections on some of the cleaners.
    """
    caption = "Dots: mean over seeds; whiskers: 95 %; dotted: what guessing reaches, the share of wrong labels."
    retrained = [] if gains is None else [Section("Test accuracy after retraining", table=gains)]
    rebuilt = sorted(set(table.loc[table["reconstruction"], "cleaner"]))
    told = [f"Reconstructions, since a paper's full text was not at hand: {', '.join(rebuilt)}."] if rebuilt else []
    sections = [
        Section("Selection and repair", [_noise(one) for one in results], [(figure, caption)], lines),
        *retrained,
        *further,
        Section("How to read this", [*HOW, *told]),
        Section("All numbers", [f"{name}: {words}." for name, words in MEASURES.items()], table=table),
    ]
    return render_page("What cleaners are worth", " ".join(best_lines(lines)), sections, facts)


def repair_section(curve: pd.DataFrame | None, figure: Figure | None, why_none: str) -> Section:
    """What the repair by the cleaners asked for does to the labels; curve: as `repair_curve`, or None and why."""
    if curve is None:
        return Section("What a repair does to the labels", [f"{why_none[0].upper()}{why_none[1:]}."])
    said = [*REPAIR, *(f"{name}: {words}." for name, words in REPAIRED.items())]
    return Section("What a repair does to the labels", said, [(figure, CAPTION)], curve)


def best_lines(lines: pd.DataFrame) -> list[str]:
    """For each noise the cleaner of the highest average precision; on clean labels the one that changes most."""
    said = []
    for noise, own in lines.groupby("noise", sort=False):
        if "average_precision" in own and own["average_precision"].notna().any():
            best = own.loc[own["average_precision"].idxmax()]
            said.append(f"{noise}: {best['cleaner']} finds best (average precision {best['average_precision']:.2f}).")
        elif "changed" in own and own["changed"].notna().any():
            most = own.loc[own["changed"].idxmax()]
            said.append(f"{noise}: {most['cleaner']} changes most labels, {most['changed']:.1%}.")
    return said


def _noise(one: NoiseResult) -> str:
    told = f"{one.noise}: {one.facts['rate']:.1%} of {one.facts['rows']:,.0f} labels are wrong; {one.seeds} seeds."
    return " ".join([told, *(f"No answer of {name}: {why}." for name, why in sorted(one.unanswered.items()))])
