"""The noises of the study of cleaners, and its retrainings."""

import re
from collections import Counter
from dataclasses import dataclass

from anomaly_mlflow.anomalies.conventions import find_convention
from anomaly_mlflow.errors import BadOption

__all__ = ["CLEAN", "PLAIN", "Noise", "Retraining", "chosen_noises", "chosen_retrainings"]

CLEAN = "clean"


@dataclass(frozen=True)
class Noise:
    """Wrong labels: of a convention at a rate in its paper's sense, of people (a table), or, without both, none."""

    name: str
    convention: str | None = None
    rate: float = 0.0
    labels: str | None = None


def chosen_noises(text: str, labels: str | None) -> list[Noise]:
    """The noises of a list separated by |, each once, and people's labels where a table is named.

    text: CONVENTION:RATE, labels:TABLE or clean. Raises UnknownName for a convention, BadOption for a spec or rate.
    """
    asked = [_noise(part.strip()) for part in text.split("|")] + ([_people(labels)] if labels else [])
    found = list(dict.fromkeys(asked))
    names = Counter(one.name for one in found)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise BadOption(f"two of the noises are called {twice[0]}; rename a column, or measure them in two studies")
    return found


@dataclass(frozen=True)
class Retraining:
    """How is trained on what; seeds: on so many of the study's seeds alone, None: on all."""

    learner: str
    variant: str
    seeds: int | None = None

    @property
    def name(self) -> str:
        """LEARNER@VARIANT."""
        return f"{self.learner}@{self.variant}"


PLAIN = Retraining("plain", "given")


def chosen_retrainings(text: str | None, seeds: int) -> list[Retraining]:
    """Each LEARNER@VARIANT[*SEEDS] of a list separated by |, plain@given always among them, first.

    seeds: of the study. Raises BadOption where one is none, stands there twice or wants more seeds than there are.
    """
    if text is None:
        return []
    found = [_retraining(part.strip(), text, seeds) for part in text.split("|")]
    found = [PLAIN, *(one for one in dict.fromkeys(found) if one.name != PLAIN.name)]
    if len({one.name for one in found}) < len(found):
        raise BadOption(f"retrainings={text} names one of them with two numbers of seeds; leave one out")
    return found


def _retraining(spec: str, text: str, seeds: int) -> Retraining:
    parts = re.fullmatch(r"([^@*|\s]+)@([^@*|\s]+)(?:\*([1-9]\d{0,3}))?", spec)
    if not parts:
        raise BadOption(
            f"retrainings={text}: write LEARNER@VARIANT, several separated by |, as in plain@cleaned|dividemix@given*1"
        )
    own = int(parts[3]) if parts[3] else None
    if own and own > seeds:
        raise BadOption(f"retrainings: {spec} wants {own} seeds, and the study has {seeds}; raise seeds")
    return Retraining(parts[1], parts[2], None if own == seeds else own)


def _noise(spec: str) -> Noise:
    if spec == CLEAN:
        return Noise(CLEAN)
    head, _, tail = spec.partition(":")
    if head == "labels" and tail:
        return _people(tail)
    name = find_convention(head).name
    try:
        rate = float(tail)
    except ValueError:
        raise BadOption(f"noise '{spec}': write CONVENTION:RATE, as in symmetric:0.2") from None
    if not 0 < rate <= 1:
        raise BadOption(f"noise '{spec}': the rate must lie above 0, and at most at 1")
    return Noise(f"{name} {rate:g}", name, rate)


def _people(spec: str) -> Noise:
    head, mark, column = spec.rpartition("#")
    if not mark or not head or not column:
        raise BadOption(f"noise 'labels:{spec}': name a table and one column, as in labels:parquet:PATH#COLUMN")
    return Noise(re.sub(r"[^\w.-]+", " ", column).strip() or "people", labels=spec)
