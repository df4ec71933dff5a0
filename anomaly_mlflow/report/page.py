"""A plain page of sections: what a step other than the whole study has to show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from anomaly_mlflow.report.pictures import figure_uri
from anomaly_mlflow.report.template import template

__all__ = ["Section", "render_page"]


@dataclass(frozen=True)
class Section:
    """A heading with, in this order, paragraphs, figures (each with its caption) and a table; all text is plain."""

    title: str
    text: Sequence[str] = ()
    figures: Sequence[tuple[Figure, str]] = ()
    table: pd.DataFrame | None = None


def render_page(title: str, lead: str, sections: Sequence[Section], facts: Mapping[str, object]) -> str:
    """One self-contained page as text: no script, no outside address, all text escaped, figures as data URIs.

    lead: the result in a sentence or two; facts: name -> value, how it was made (options, versions, seeds, links).
    """
    shown = [
        {
            "title": section.title,
            "text": section.text,
            "figures": [(figure_uri(figure), caption) for figure, caption in section.figures],
            "columns": [] if section.table is None else [str(name) for name in section.table.columns],
            "rows": [] if section.table is None else [[_cell(value) for value in row] for row in _rows(section.table)],
        }
        for section in sections
    ]
    return template("page.html.j2").render(title=title, lead=lead, sections=shown, facts=facts)


def _rows(frame: pd.DataFrame) -> list[tuple]:
    return list(frame.itertuples(index=False, name=None))


def _cell(value: object) -> tuple[str, bool]:
    """Text of a cell, and whether it is a number."""
    if isinstance(value, float | np.floating):
        return ("" if np.isnan(value) else f"{value:.3f}"), True
    number = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return (f"{value:,}" if number else "" if value is None else str(value)), number
