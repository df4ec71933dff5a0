"""The exceptions that end a command with one line and no traceback."""

from collections.abc import Iterable

__all__ = [
    "AnomalyError",
    "BadData",
    "BadOption",
    "Leakage",
    "MissingEvidence",
    "RunNotFound",
    "ServerUnavailable",
    "TrainingDiverged",
    "UnknownName",
    "WorkerDied",
]


class AnomalyError(Exception):
    """Something the user can mend; its text is one line that says what to do."""


class BadData(AnomalyError):
    """The input files or arrays cannot be used as they are."""


class BadOption(AnomalyError):
    """An option has a value that makes no sense, alone or beside the others."""


class UnknownName(AnomalyError):
    """A source, model, signal or table of this name does not exist; the known ones are listed, close ones first."""

    def __init__(self, kind: str, name: str, known: Iterable[str], close: Iterable[str] = ()):
        super().__init__(kind, name, sorted(known), list(close))  # as arguments, so that it crosses process borders

    def __str__(self) -> str:
        kind, name, known, close = self.args
        hint = f"close: {', '.join(close)}; " if close else ""
        return f"unknown {kind} '{name}'; {hint}known: {', '.join(known)}"


class MissingEvidence(AnomalyError):
    """A signal needs evidence that was not recorded."""


class Leakage(AnomalyError):
    """A row would be judged by a model that saw it, or truth would reach a signal."""


class TrainingDiverged(AnomalyError):
    """The loss is no longer finite."""


class RunNotFound(AnomalyError):
    """No run of this id, or it lacks what the step needs."""


class ServerUnavailable(AnomalyError):
    """The tracking server does not answer, or refuses the login."""


class WorkerDied(AnomalyError):
    """A process that worked for this one was killed."""

    def __str__(self) -> str:
        why = "it was killed, or memory was short (fewer jobs take less)"
        return f"a worker died: {why}; the same command, typed again, does what is missing"
