"""The nutrition label as one page."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from anomaly_mlflow.report.canvas import INK, new_figure, short, tidy
from anomaly_mlflow.report.page import Section, render_page

__all__ = ["nutrition_page"]

UNKNOWN = "unknown"
SHOWN = 20
MOST_CLASSES = 25
"""More do not fit into a figure of all pairs."""
PEOPLE = {
    "unanimous": "all say the same",
    "majority_given": "more than half say the given label",
    "all_differ": "no two say the same",
}


def nutrition_page(label: Mapping, how: Mapping[str, object] | None = None) -> str:
    """One self-contained page of what `nutrition` gives, also after a way through JSON; how: how it was made."""
    data = label["data"]
    lead = (
        f"{data['rows']:,} images of {data['height']} x {data['width']} pixels in {data['classes']} classes. "
        f"Licence: {label['provenance']['licence']}. Unknown: {', '.join(label['unknown']) or 'nothing'}."
    )
    sections = [
        Section("Classes", table=_classes(label)),
        Section("Estimated rate of each anomaly", *_rates(label["rates"])),
        _joint_section(label),
        Section("What people say", *_people(label)),
        _correlation_section(label["correlations"]),
    ]
    return render_page(f"Nutrition label of {label['name']}", lead, sections, _facts(label) | (how or {}))


def _facts(label: Mapping) -> dict[str, object]:
    listed = ("injected", "part")
    provenance = {name: value for name, value in label["provenance"].items() if name not in listed}
    injected, part = (label["provenance"][name] for name in listed)
    provenance |= {f"part: {name}": value for name, value in part.items()}
    said = {"injected": None} if injected is None else {f"injected: {name}": value for name, value in injected.items()}
    shape = {"source groups": label["data"]["source_groups"]}
    shape["largest over smallest class"] = label["data"]["largest_over_smallest_class"]
    return {name: UNKNOWN if value is None else _short(value) for name, value in (provenance | shape | said).items()}


def _classes(label: Mapping) -> pd.DataFrame:
    table = pd.DataFrame(label["classes"]).rename(columns={"estimated_wrong": "estimated wrong"})
    if label["confident_joint"] is None:
        table["estimated wrong"] = UNKNOWN
    return table


def _rates(rates: Mapping | None) -> tuple[tuple[str, ...], tuple, pd.DataFrame | None]:
    if rates is None:
        return (f"{UNKNOWN.capitalize()}: nobody has estimated it.",), (), None
    rows = [
        (kind, *(UNKNOWN if one[end] is None else one[end] for end in ("value", "low", "high")))
        for kind, one in rates.items()
    ]
    text = (
        "Estimated shares of all images. The 95 % intervals hold the draw of the rows: that of all wrong labels,"
        " divided among the types in proportion; how the errors divide adds to it, and is not in it.",
    )
    return text, (), pd.DataFrame(rows, columns=["type", "share", "low", "high"])


def _joint_section(label: Mapping) -> Section:
    title, joint = "Confident joint", label["confident_joint"]
    if joint is None:
        return Section(title, (f"{UNKNOWN.capitalize()}: no model has been asked.",))
    names, counts = [one["class"] for one in label["classes"]], np.array(joint["counts"])
    text = f"An estimated {joint['off_diagonal']:.1%} of the labels belong to another class (Northcutt et al. 2021)."
    pairs = [(counts[i, j], i, j) for i, j in np.ndindex(*counts.shape) if i != j and counts[i, j] > 0]
    largest = sorted(pairs, key=lambda one: (-one[0], one[1:]))[:SHOWN]
    table = pd.DataFrame(
        [(names[i], names[j], float(count)) for count, i, j in largest], columns=["given", "likely", "rows"]
    )
    return Section(
        title, (text,), _figure(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), names, "Blues", 0), table
    )


def _people(label: Mapping) -> tuple[tuple[str, ...], tuple, pd.DataFrame | None]:
    people = label["people"]
    if people is None:
        return (f"{UNKNOWN.capitalize()}: the labels of several people are not at hand.",), (), None
    kappa = UNKNOWN if people["fleiss_kappa"] is None else f"{people['fleiss_kappa']:.3f}"
    text = f"{people['raters']} people an image; Fleiss' kappa {kappa} (1: all agree, 0: as by chance)."
    rows = [(words, *people[name].values()) for name, words in PEOPLE.items()]
    return (text,), (), pd.DataFrame(rows, columns=["share of the images", "value", "low", "high"])


def _correlation_section(found: Mapping | None) -> Section:
    title = "Correlation of the signals"
    if found is None:
        return Section(title, (f"{UNKNOWN.capitalize()}: no signals were given.",))
    names, values = found["signals"], np.array(found["spearman"], dtype=float)
    pairs = [(names[i], names[j], values[i, j]) for i, j in zip(*np.triu_indices(len(names), 1), strict=True)]
    table = pd.DataFrame(pairs, columns=["signal", "other signal", "Spearman"])
    order = table["Spearman"].abs().sort_values(ascending=False, kind="stable").index
    text = (
        f"Rank correlation over the images; the {min(SHOWN, len(table))} strongest pairs. Empty: a signal is constant."
    )
    return Section(title, (text,), _figure(values, names, "RdBu_r", -1), table.loc[order].head(SHOWN))


def _figure(values: np.ndarray, names: list[str], colours: str, least: float) -> tuple[tuple[Figure, str], ...]:
    """A matrix as a heat map, from `least` to 1; none where it would be too large to read."""
    if len(names) > MOST_CLASSES:
        return ()
    figure = new_figure(0.32 * len(names) + 2.4, 0.28 * len(names) + 1.6)
    axes = tidy(figure.subplots(), grid=None)
    image = axes.imshow(values, cmap=colours, vmin=least, vmax=1, aspect="auto")
    shown = [short(name, 24) for name in names]
    axes.set_xticks(range(len(names)), shown, rotation=60, ha="right", parse_math=False)
    axes.set_yticks(range(len(names)), shown, parse_math=False)
    figure.colorbar(image, ax=axes, shrink=0.8).outline.set_visible(False)
    axes.tick_params(colors=INK)
    caption = "Rows: given class, columns: likely class, share of the row." if least == 0 else "Every pair of signals."
    return ((figure, caption),)


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value
