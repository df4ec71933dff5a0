"""How a step gets its runs: named, found by fingerprint, or made."""

import sys
from pathlib import Path

from joblib import delayed

from anomaly_mlflow.anomalies.strangers import strangers_digest
from anomaly_mlflow.data.sources import digest
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.fingerprint import fingerprint, imported_sources
from anomaly_mlflow.tracking.lifecycle import find_finished, start, upstream_of
from anomaly_mlflow.tracking.registry import run_of_model
from anomaly_mlflow.tracking.run import Run, open_run
from anomaly_mlflow.training.folds import side_by_side
from entry_points.jobs import jobs_of
from entry_points.options import RUNTIME_ONLY
from entry_points.step import STEPS, Step
from entry_points.terminal import quiet

__all__ = ["perform", "resolve"]

ROOT = Path(__file__).resolve().parent.parent
DIGESTS = {"dataset": digest, "test": digest, "ood": strangers_digest}


def perform(step: Step, options: dict, parent: Run | None = None) -> str:
    """Make a new run of a step, with whatever it needs upstream; its id comes back."""
    tags = {"anomaly.dataset": str(options["dataset"])}
    with start(step.name, tags, parent=parent, system_metrics=step.trains) as run:
        options = _with_given(step, options)
        run.log_params({name: options[name] for name in step.options})
        for name in (step.name, *_all_needs(step)):
            STEPS[name].check(options)
        upstream = {}
        for need in step.needs:
            upstream[need] = resolve(STEPS[need], options, run)
            options = options | _given(need, upstream[need])
        _note(run, step, options, upstream)
        step.function(run, options, {need: [Run(one) for one in ids] for need, ids in upstream.items()})
        print(f"{step.name}: {run.link}", file=sys.stderr, flush=True)
        return run.id


def resolve(step: Step, options: dict, parent: Run) -> list[str]:
    """The runs of a step that fit these options: those named, or the newest of the same fingerprint, or new ones."""
    given = options.get(step.run_option or "")
    if given:
        return [open_run(_run_id(one), step.name).id for one in given.split(",")]
    if step.per_seed and "seeds" in options:
        return _resolve_seeds(step, options, parent)
    return [_resolve_one(step, options, parent)]


def _resolve_one(step: Step, options: dict, parent: Run) -> str:
    upstream = {need: resolve(STEPS[need], options, parent) for need in step.needs}
    found = find_finished(step.name, _fingerprint(step, options, upstream))
    if found:
        return found
    for need, ids in upstream.items():
        options = options | _given(need, ids)
    return perform(step, options, parent)


def _resolve_seeds(step: Step, options: dict, parent: Run) -> list[str]:
    """One run per named noisy run or per training seed, side by side in processes of their own."""
    for need in step.needs:
        if "training_seed" not in STEPS[need].options:  # the same for all seeds: make it once
            options = options | _given(need, resolve(STEPS[need], options, parent))
    if options["noisy_run"]:
        variants = [options | {"noisy_run": one} for one in options["noisy_run"].split(",")]
    else:
        first = options["training_seed"]
        variants = [options | {"training_seed": first + number} for number in range(options["seeds"])]
    tasks = [delayed(_in_worker)(step.name, one | {"bar": line}, parent.id) for line, one in enumerate(variants)]
    return list(side_by_side(tasks, jobs_of(options)))


def _in_worker(name: str, options: dict, parent_id: str) -> str:
    import entry_points.all_steps  # noqa: F401  (a new process knows no step yet)

    quiet()
    return _resolve_one(STEPS[name], options | {"jobs": 1}, Run(parent_id))


def _fingerprint(step: Step, options: dict, upstream: dict[str, list[str]]) -> str:
    """Digest of the code that the step imports, its own options, the data they name and the runs upstream."""
    values = {name: options[name] for name in step.own if name not in RUNTIME_ONLY}
    data = {name: of(values[name]) for name, of in DIGESTS.items() if values.get(name)}
    sources = imported_sources(step.function.__module__, ROOT)
    return fingerprint(list(sources), {"options": values, "data": data, "upstream": upstream})


def _note(run: Run, step: Step, options: dict, upstream: dict[str, list[str]]) -> None:
    """Write down what the run is made from: options as resolved, fingerprint, the runs upstream of it."""
    closure = dict(upstream)
    for ids in upstream.values():
        for one in ids:
            for name, runs in upstream_of(Run(one)).items():
                closure[name] = list(dict.fromkeys([*closure.get(name, []), *runs]))
    run.log_json({name: options[name] for name in step.options}, "config.json")
    run.log_json(closure, "upstream.json")
    run.tag("anomaly.fingerprint", _fingerprint(step, options, upstream))
    if "generate_noise" in upstream:
        run.tag("anomaly.dataset", Run(upstream["generate_noise"][0]).tags["anomaly.dataset"])


def _with_given(step: Step, options: dict) -> dict:
    """A named run brings along its options and the runs it was made from. Raises BadOption where two disagree."""
    filled = dict(options)
    for name in _all_needs(step):
        given = options.get(STEPS[name].run_option or "")
        for one in reversed(given.split(",")) if given else []:
            run = open_run(_run_id(one), name)
            config = run.json("config.json")
            filled |= {key: config[key] for key in STEPS[name].options if key in config and key not in RUNTIME_ONLY}
            for upstream, ids in upstream_of(run).items():
                option, value = STEPS[upstream].run_option or "", ",".join(ids)
                if filled.get(option) not in (None, value) and upstream in step.needs:
                    raise BadOption(f"{STEPS[name].run_option}={one} comes from another {upstream} run than the rest")
                filled[option] = value
    return filled


def _given(name: str, ids: list[str]) -> dict[str, str]:
    """The option that names these runs, for steps that may need them again."""
    option = STEPS[name].run_option
    return {option: ",".join(ids)} if option else {}


def _all_needs(step: Step) -> list[str]:
    below = [name for need in step.needs for name in (need, *_all_needs(STEPS[need]))]
    return list(dict.fromkeys(below))


def _run_id(value: str) -> str:
    return run_of_model(value) if value.startswith("models:/") else value
