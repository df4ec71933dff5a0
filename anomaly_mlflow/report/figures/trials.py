"""The trials of a sweep, as Optuna draws them."""

import warnings
from collections.abc import Callable

import matplotlib
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import TrialState

__all__ = ["trial_figures"]


def trial_figures(study: optuna.Study, seed: int) -> dict[str, Figure]:
    """Name -> figure: history, parallel coordinates, importances of the parameters that all trials share.

    Importances by functional analysis of variance (Hutter, Hoos and Leyton-Brown 2014); they are left out where
    fewer than four trials are complete, or all are worth the same.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    shared = [key for key in complete[0].params if all(key in trial.params for trial in complete)]
    drawn = {
        "history": lambda plots: plots.plot_optimization_history(study),
        "parallel_coordinates": lambda plots: plots.plot_parallel_coordinate(study, params=shared),
    }
    if len(complete) > 3 and len({trial.value for trial in complete}) > 1:
        evaluator = FanovaImportanceEvaluator(seed=seed)
        drawn["importances"] = lambda plots: plots.plot_param_importances(study, evaluator=evaluator, params=shared)
    return {name: _drawn(draw) for name, draw in drawn.items()}


def _drawn(draw: Callable[[object], Axes]) -> Figure:
    """A figure that pyplot has forgotten: Optuna draws with its global state."""
    with matplotlib.rc_context({"backend": "agg"}), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from matplotlib import pyplot
        from optuna.visualization import matplotlib as plots

        figure = draw(plots).figure
        figure.set_size_inches(10, 5.5)
        figure.set_layout_engine("tight")
        pyplot.close(figure)
        return figure
