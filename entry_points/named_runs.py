"""Runs that the user names: what they bring along."""

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.lifecycle import upstream_of
from anomaly_mlflow.tracking.registry import run_of_model
from anomaly_mlflow.tracking.run import Run, open_run
from entry_points.options import OPTIONS, RUNTIME_ONLY
from entry_points.step import STEPS, Step

__all__ = ["all_needs", "is_default", "named", "run_id", "with_named_runs"]


def with_named_runs(step: Step, options: dict, *, strict: bool) -> dict:
    """Fill in what named runs were made with: their runs upstream, and their options where none was typed.

    strict: refuse an option that was typed and has no effect, because a named run was made with another value, and
    named runs that come from different runs upstream. Raises BadOption there, RunNotFound.
    """
    filled = dict(options)
    for name in all_needs(step):
        for one in _names(options, name):
            _fill_upstream(name, open_run(run_id(one), name), options, filled, strict)
    _fill_seeds(options, filled, strict)
    brought, used = {"seeds"}, set(_options_still_used(step, filled))
    for name in all_needs(step):
        for one in _names(filled, name)[:1]:
            config = open_run(run_id(one), name).json("config.json")
            for key in (key for key in STEPS[name].options if key in config):
                if key in brought or key in RUNTIME_ONLY or key not in options:
                    continue
                typed = options[key] not in (config[key], _default(key))
                if typed and key not in used and strict:
                    option = STEPS[name].run_option
                    raise BadOption(f"{key}={options[key]} has no effect: {option}={one} was made with {config[key]}")
                if not (typed and key in used):  # a step that is made anew takes what was typed for it
                    filled[key] = config[key]
                brought.add(key)
    return filled


def named(name: str, ids: list[str]) -> dict[str, str]:
    """The option that names these runs of a step, for others that need them too."""
    option = STEPS[name].run_option
    return {option: ",".join(ids)} if option else {}


def all_needs(step: Step, options: dict | None = None) -> list[str]:
    """The names of all steps upstream, the nearest first; of those that these options need, where they are given."""
    needs = step.needs if options is None else step.needed(options)
    below = [name for need in needs for name in (need, *all_needs(STEPS[need], options))]
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


def is_default(key: str, value: object) -> bool:
    """Whether an option has the value that it has where none is typed."""
    return value == _default(key)


def _default(key: str) -> object:
    option = OPTIONS[key]
    return option.type.convert(option.default, option, None)


def _fill_upstream(name: str, run: Run, options: dict, filled: dict, strict: bool) -> None:
    for upstream, ids in upstream_of(run).items():
        if upstream not in STEPS:
            raise BadOption(f"upstream.json of run {run.id} names an unknown step '{upstream}'; make the run again")
        option = STEPS[upstream].run_option or ""
        known = filled[option].split(",") if filled.get(option) else []
        if known and "training_seed" in STEPS[upstream].options and not options.get(option):
            filled[option] = ",".join(dict.fromkeys([*known, *ids]))  # one run a seed
        elif not known:
            filled[option] = ",".join(ids)
        elif strict and _contents(known) != _contents(ids):
            raise BadOption(f"{STEPS[name].run_option}={run.id} comes from another {upstream} run than the rest")


def _contents(values: list[str]) -> set[str]:
    """What these runs hold: two that were made alike hold the same."""
    ids = [run_id(value) for value in values]
    return {Run(one).tags.get("anomaly.content", one) for one in ids}


def _fill_seeds(options: dict, filled: dict, strict: bool) -> None:
    """Named runs of several seeds say how many there are."""
    named_runs = _names(options, "extract_features") or _names(options, "train_noisy")
    if "seeds" not in options or not named_runs:
        return
    if strict and options["seeds"] not in (len(named_runs), _default("seeds")):
        raise BadOption(f"seeds={options['seeds']} has no effect: {len(named_runs)} runs are named")
    filled["seeds"] = len(named_runs)
