"""One trial of a sweep. What a worker imports for it is kept small: no torch."""

import logging
import warnings

import numpy as np
import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import PartialFixedSampler, TPESampler
from optuna.trial import TrialState

from anomaly_mlflow.detection.objective import Development, objective
from anomaly_mlflow.detection.search_space import default_parameters, families_of
from anomaly_mlflow.detection.trials import NUMBER, open_storage

__all__ = ["carry_out", "quiet"]

STARTUP = 10


def carry_out(place: str, name: str, number: int, begun: dict | None, development: Development) -> None:
    """One trial, from drawing its parameters to its end. begun: what an earlier worker had drawn for it."""
    quiet()
    sampler = TPESampler(n_startup_trials=STARTUP, constant_liar=True, seed=_seed(development.seed, number))
    fixed = begun or (default_parameters(families_of(development.data.columns)) if number == 0 else {})
    if fixed:  # not by Optuna's queue, from which another worker could take it
        sampler = PartialFixedSampler(fixed, sampler)
    pruner = MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=1)
    study = optuna.load_study(study_name=name, storage=open_storage(place), sampler=sampler, pruner=pruner)
    trial = study.ask()
    trial.set_user_attr(NUMBER, number)
    try:
        value = objective(trial, development)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)


def _seed(seed: int, number: int) -> int:
    # Each trial has a sampler of its own: with one seed for all, all would draw the same.
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def quiet() -> None:
    """Let Optuna warn, not tell."""
    optuna.logging.set_verbosity(logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
