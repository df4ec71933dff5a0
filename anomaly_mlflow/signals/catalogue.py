"""What the registry knows of its signals, for people: a page in Markdown, and lines for the terminal."""

import inspect
import re
from types import ModuleType

from anomaly_mlflow.signals import FAMILIES, SIGNALS, Signal, clean_side

__all__ = ["catalogue", "listing"]

HEADER = """<!-- Written by `make docs` from the registry in anomaly_mlflow/signals. -->

# Signals

Each gives one number per sample, higher = more suspicious. No signal sees the truth. "Targets" are the types that a
signal is meant for: there it reaches an AUROC above 0.9 in the planted world of the tests, which says that it does what
its formula says, and not how well it does on real images (the README's table does). "Needs" are fields of `Evidence`;
"cost" is the order of the work beyond the evidence, in n rows, C classes, d dimensions, T epochs, r references.

Of more than 100 classes a recording keeps, for each sample and epoch, the logits of the given label and of the five
largest, the log-sum-exp, and loss, margin, entropy and error norm as computed from all logits: every signal below is
exact on it, to half precision, but for those that say that they are approximated.
"""
APPROXIMATED = (
    "<br>Of more than 100 classes approximated: the classes that are not kept share evenly what probability is left."
)
COLUMNS = ("signal", "formula", "targets", "needs", "source", "cost")


def catalogue() -> str:
    """All signals in Markdown: for each family its meaning and its signals in tables."""
    return "\n".join([HEADER, *(_section(family, members) for family, members in _families().items())])


def listing() -> str:
    """All signals in plain text, two lines each: its column; what it targets, what it needs, where it is from."""
    lines = []
    for members in _families().values():
        for signal in members:
            lines += [
                signal.column,
                f"    targets {_targets(signal)}; needs {', '.join(signal.needs)}; {signal.source}",
            ]
    return "\n".join(lines)


def _families() -> dict[str, list[Signal]]:
    of = {family: [signal for signal in SIGNALS.values() if signal.family == family] for family in FAMILIES}
    return {family: members for family, members in of.items() if members}


def _section(family: str, members: list[Signal]) -> str:
    """A table for each module, below its docstring: the symbols of its formulas are explained there."""
    modules: dict[ModuleType, list[Signal]] = {}
    for signal in members:
        modules.setdefault(inspect.getmodule(signal.function), []).append(signal)
    parts = [f"## {family}", f"*{FAMILIES[family]}*"]
    if family == "geometry":
        parts.append(_text(inspect.getdoc(clean_side)))
    for module, own in modules.items():
        parts += [_text(inspect.getdoc(module)), _table(own)]
    return "\n\n".join(parts) + "\n"


def _table(members: list[Signal]) -> str:
    rows = [COLUMNS, ["---"] * len(COLUMNS), *map(_row, members)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(signal: Signal) -> list[str]:
    return [
        f"`{signal.name}`",
        _text(inspect.getdoc(signal.function)).replace("\n\n", "<br>") + APPROXIMATED * signal.all_logits,
        _targets(signal),
        ", ".join(f"`{need}`" for need in signal.needs),
        _text(signal.source),
        signal.cost,
    ]


def _targets(signal: Signal) -> str:
    return ", ".join(str(target) for target in signal.targets)


def _text(docstring: str) -> str:
    """A docstring as Markdown: a paragraph on one line, what would be markup escaped outside of `code`."""
    paragraphs = (" ".join(part.split()) for part in docstring.split("\n\n"))
    markup = r"(`[^`]*`)|([|*]|<(?=[a-zA-Z/!]))"
    return re.sub(markup, lambda found: found[1] or f"\\{found[2]}", "\n\n".join(paragraphs))
