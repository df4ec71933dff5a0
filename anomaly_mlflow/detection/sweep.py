"""A search for the best detector by Optuna: several workers, exactly so many trials, resumed after any death."""

from collections.abc import Callable

import optuna
from joblib import delayed
from optuna.trial import FrozenTrial

from anomaly_mlflow.detection.objective import Development
from anomaly_mlflow.detection.trial import carry_out, quiet
from anomaly_mlflow.detection.trials import fail_unfinished, finished, mend_journal, open_storage
from anomaly_mlflow.errors import BadData, WorkerDied
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["OnTrial", "sweep"]

OnTrial = Callable[[int, FrozenTrial], object]
"""Takes the number of a finished trial in the sweep, from 0, and the trial."""

MOST_DEATHS = 3


def sweep(
    development: Development, *, place: str, name: str, trials: int, workers: int, on_trial: OnTrial
) -> optuna.Study:
    """Carry out the trials of a study that are not done yet; the study comes back with exactly so many that count.

    place: a journal file or the address of a database (`trials.open_storage`). A study of this name that is there goes
    on: trials whose worker died are failed and repeated with the parameters that they had drawn. Trials are numbered
    from 0; the first is the default detector. on_trial: called in this process for every trial that counts, those of
    an earlier process included. The sampler is TPE (Bergstra et al. 2011); after each fold a trial below the median
    of the others at that fold is pruned. With one worker the seed alone decides what comes out; several tell one
    another their results in the order in which they happen to finish.
    One process alone may work on a study. Raises ServerUnavailable, and BadData where workers die again and again.
    """
    quiet()
    mend_journal(place)
    storage = open_storage(place)
    study = optuna.create_study(study_name=name, storage=storage, direction="maximize", load_if_exists=True)
    told: set[int] = set()
    deaths = 0
    while True:
        begun, done = fail_unfinished(study, storage), finished(study)
        _tell(done, told, on_trial)
        left = [number for number in range(trials) if number not in done]
        if not left:
            return study
        tasks = [delayed(carry_out)(place, name, number, begun.get(number), development) for number in left]
        try:
            for _ in side_by_side(tasks, min(workers, len(left))):
                _tell(finished(study), told, on_trial)
        except WorkerDied:
            deaths = 0 if len(finished(study)) > len(done) else deaths + 1
            if deaths == MOST_DEATHS:
                raise BadData("workers of the sweep die again and again; is memory short? try workers=1") from None
            mend_journal(place)


def _tell(done: dict[int, FrozenTrial], told: set[int], on_trial: OnTrial) -> None:
    for number in sorted(done.keys() - told):
        on_trial(number, done[number])
        told.add(number)
