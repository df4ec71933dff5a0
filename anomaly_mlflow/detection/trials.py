"""Where the trials of a sweep are kept, and which of them count."""

import os
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from anomaly_mlflow.errors import ServerUnavailable

__all__ = ["FINISHED", "NUMBER", "fail_unfinished", "finished", "mend_journal", "open_storage"]

NUMBER = "number"
"""User attribute: the number of a trial in its sweep; one that died and its repetition have the same."""

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
UNFINISHED = (TrialState.RUNNING, TrialState.WAITING)


def open_storage(place: str) -> BaseStorage:
    """Storage of trials: a database by its address (`postgresql+psycopg://...`), or a journal file by its path.

    Raises ServerUnavailable where the database does not answer or its driver is missing.
    """
    if "://" not in place:
        return JournalStorage(JournalFileBackend(place))
    try:
        return RDBStorage(place)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        told = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ServerUnavailable(f"the storage of trials cannot be opened: {told}") from None


def mend_journal(place: str) -> None:
    """Remove what a dead process left in a journal: its lock, and a last line that is not whole.

    Only for whoever alone uses the journal.
    """
    path = Path(place)
    if "://" in place or not path.exists():
        return
    Path(f"{place}.lock").unlink(missing_ok=True)
    whole = path.read_bytes().rfind(b"\n") + 1
    os.truncate(path, whole)


def finished(study: optuna.Study) -> dict[int, FrozenTrial]:
    """The trials that count, by their number in the sweep: complete or pruned; the first where a number came twice."""
    found: dict[int, FrozenTrial] = {}
    for trial in study.get_trials(deepcopy=False, states=FINISHED):
        if NUMBER in trial.user_attrs:
            found.setdefault(trial.user_attrs[NUMBER], trial)
    return found


def fail_unfinished(study: optuna.Study, storage: BaseStorage) -> dict[int, dict]:
    """Fail the trials whose worker died; number in the sweep -> parameters that they had drawn so far.

    Only for whoever alone works on the study: trials do not say whether their worker lives.
    """
    begun: dict[int, dict] = {}
    for trial in study.get_trials(deepcopy=False):
        if trial.state in UNFINISHED:
            storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        if trial.state not in FINISHED and NUMBER in trial.user_attrs:
            begun[trial.user_attrs[NUMBER]] = dict(trial.params)
    return begun
