"""Runs that the user names: what they bring along."""

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.lifecycle import upstream_of
from anomaly_mlflow.tracking.registry import run_of_model
from anomaly_mlflow.tracking.run import Run, open_run
from entry_points.options import OPTIONS, RUNTIME_ONLY
from entry_points.step import STEPS, Step

__all__ = ["all_needs", "named", "run_id", "with_named_runs"]


def with_named_runs(step: Step, options: dict, *, strict: bool) -> dict:
    """Fill in what named runs were made with: their runs upstream, and the options that only they used.

    strict: refuse an option that was typed and has no effect, because a named run was made with another value.
    Raises BadOption there, and where two named runs come from different runs upstream; RunNotFound.
    """
    filled, brought = dict(options), set(_options_still_used(step, options))
    for name in all_needs(step):
        for one in _names(options, name):
            run = open_run(run_id(one), name)
            config = run.json("config.json")
            for key in (key for key in STEPS[name].options if key in config):
                if key in brought or key in RUNTIME_ONLY:
                    continue
                if strict and options[key] not in (config[key], _default(key)):
                    option = STEPS[name].run_option
                    raise BadOption(f"{key}={options[key]} has no effect: {option}={one} was made with {config[key]}")
                filled[key] = config[key]
                brought.add(key)
            _fill_upstream(step, name, run, filled)
    return filled


def named(name: str, ids: list[str]) -> dict[str, str]:
    """The option that names these runs of a step, for others that need them too."""
    option = STEPS[name].run_option
    return {option: ",".join(ids)} if option else {}


def all_needs(step: Step) -> list[str]:
    """The names of all steps upstream, the nearest first."""
    below = [name for need in step.needs for name in (need, *all_needs(STEPS[need]))]
    return list(dict.fromkeys(below))


def run_id(value: str) -> str:
    """The id of a run, or of the run that made a registered model (`models:/...`)."""
    return run_of_model(value) if value.startswith("models:/") else value


def _names(options: dict, name: str) -> list[str]:
    given = options.get(STEPS[name].run_option or "")
    return given.split(",") if given else []


def _options_still_used(step: Step, options: dict) -> list[str]:
    """The own options of all steps that are not named and so will be looked up or made."""
    needed = [need for need in step.needs if not _names(options, need)]
    return [*step.own, *(key for need in needed for key in _options_still_used(STEPS[need], options))]


def _default(key: str) -> object:
    option = OPTIONS[key]
    return option.type.convert(option.default, option, None)


def _fill_upstream(step: Step, name: str, run: Run, filled: dict) -> None:
    for upstream, ids in upstream_of(run).items():
        if upstream not in STEPS:
            raise BadOption(f"upstream.json of run {run.id} names an unknown step '{upstream}'; make the run again")
        option, value = STEPS[upstream].run_option or "", ",".join(ids)
        if filled.get(option) not in (None, value) and upstream in step.needs:
            raise BadOption(f"{STEPS[name].run_option}={run.id} comes from another {upstream} run than the rest")
        filled[option] = value
