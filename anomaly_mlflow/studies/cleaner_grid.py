"""The noises of the study of cleaners."""

from dataclasses import dataclass

from anomaly_mlflow.anomalies.conventions import find_convention
from anomaly_mlflow.errors import BadOption

__all__ = ["CLEAN", "Noise", "chosen_noises", "chosen_retrainings"]

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
    specs = list(dict.fromkeys(part.strip() for part in text.split("|")))
    found = [_noise(spec) for spec in specs]
    return found + ([_people(labels)] if labels and labels not in [one.labels for one in found] else [])


def chosen_retrainings(text: str | None) -> list[tuple[str, str]]:
    """Learner and variant of each LEARNER@VARIANT of a list separated by |, plain@given always among them, first.

    Raises BadOption where one is none.
    """
    if text is None:
        return []
    pairs = [tuple(part.strip().split("@")) for part in text.split("|")]
    odd = [pair for pair in pairs if len(pair) != 2 or not all(pair)]
    if odd:
        raise BadOption(f"retrainings={text}: write LEARNER@VARIANT, several separated by |, as in plain@cleaned")
    return list(dict.fromkeys([("plain", "given"), *pairs]))


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
    return Noise(spec.rpartition("#")[2], labels=spec)
