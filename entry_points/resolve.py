"""How a step gets its runs: named, found by fingerprint, or made."""

import logging
from collections.abc import Iterator
from contextlib import nullcontext, suppress

from joblib import delayed

from anomaly_mlflow.errors import RunNotFound
from anomaly_mlflow.tracking.fingerprint import fingerprint
from anomaly_mlflow.tracking.lease import Lease
from anomaly_mlflow.tracking.lifecycle import find_finished, start, upstream_of
from anomaly_mlflow.tracking.run import Run, open_run
from anomaly_mlflow.tracking.server import has_server
from anomaly_mlflow.training.side_by_side import side_by_side
from entry_points.jobs import jobs_of
from entry_points.named_runs import all_needs, named, run_id, with_named_runs
from entry_points.options import as_typed
from entry_points.provenance import source_digest, step_fingerprint
from entry_points.recordings import by_itself
from entry_points.resume import FINGERPRINT, REQUEST, check_upstream, request_of, taken_up, taken_up_below
from entry_points.step import STEPS, Step
from entry_points.terminal import quiet
from entry_points.work_folder import remove_work_folder
from entry_points.workers import workers_of

__all__ = ["perform", "resolve", "resolve_each"]

logger = logging.getLogger(__name__)


def perform(step: Step, options: dict) -> str:
    """Carry out a command: make a run of a step, or go on with an unfinished one; its id comes back."""
    for each in STEPS.values():
        source_digest(each.function.__module__)  # of the code as it is now, not as an editor leaves it meanwhile
    step = by_itself(step, options)
    wanted = request_of(step, options)
    tags = {REQUEST: fingerprint([], wanted)} if wanted else {}
    run_id = _perform(step, options, tags, take_up=taken_up(step, options, wanted), wanted=wanted)
    if not has_server():
        with suppress(RunNotFound):
            print(f"report: {Run(run_id).path('report.html')}")
        logger.info("`make server` in this folder opens the links")
    return run_id


def _perform(
    step: Step,
    options: dict,
    tags: dict[str, str],
    parent: Run | None = None,
    *,
    take_up: Lease | None,
    wanted: dict | None = None,
) -> str:
    """Tags: what the run is found by. It is born with them: killed in its first second, it can still be continued."""
    with (
        start(step.name, tags, parent=parent, system_metrics=step.trains, take_up=take_up) as run,
        nullcontext() if parent else workers_of(options),
    ):
        if wanted:
            run.log_json(wanted, "request.json")
        if step.instead:
            options = {step.instead: None} | options  # a step downstream does not know this option
        options = with_named_runs(step, options, strict=parent is None)
        data = options["dataset"] if "dataset" in options else options["datasets"]
        run.tag("anomaly.dataset", str(options.get(step.instead or "") or data))
        run.log_params(as_typed(options, step.options))
        for name in (step.name, *all_needs(step, options)):
            STEPS[name].check(options)
        upstream = {}
        for need in step.needed(options):
            upstream[need] = resolve(STEPS[need], options, run)
            options = options | named(need, upstream[need])
        _note(run, step, options, upstream)
        step.function(run, options, {need: [Run(one) for one in ids] for need, ids in upstream.items()})
        run.tag("anomaly.content", run.content)
        logger.info("%s: %s", step.name, run.link)
    remove_work_folder(run)  # only now: until the run has ended, a process that dies here is taken up
    return run.id


def resolve(step: Step, options: dict, parent: Run) -> list[str]:
    """The runs of a step that fit these options: those named, or the newest of the same fingerprint, or new ones."""
    given = options.get(step.run_option or "")
    if given:
        return [open_run(run_id(one), step.name).id for one in given.split(",")]
    if step.per_seed and "seeds" in options and any(map(_has_seeds, step.needed(options))):
        return _resolve_seeds(step, options, parent)
    return [_resolve_one(step, options, parent)]


def _resolve_one(step: Step, options: dict, parent: Run) -> str:
    upstream = {need: resolve(STEPS[need], options, parent) for need in step.needed(options)}
    made_from = step_fingerprint(step, options, upstream)
    found = find_finished(step.name, made_from, parent.experiment_id)
    if found:
        return found
    for need, ids in upstream.items():
        options = options | named(need, ids)
    take_up = taken_up_below(step, options, made_from, parent)
    return _perform(step, options, {FINGERPRINT: made_from}, parent, take_up=take_up)


def _resolve_seeds(step: Step, options: dict, parent: Run) -> list[str]:
    """One run per named noisy run or per training seed, side by side in processes of their own."""
    for need in step.needed(options):
        if not _has_seeds(need):  # the same for all seeds: make it once
            options = options | named(need, resolve(STEPS[need], options, parent))
    if options["noisy_run"]:
        variants = [options | {"noisy_run": one} for one in options["noisy_run"].split(",")]
    else:
        first = options["training_seed"]
        variants = [options | {"training_seed": first + number} for number in range(options["seeds"])]
    return list(resolve_each(step, variants, parent))


def resolve_each(step: Step, variants: list[dict], parent: Run) -> Iterator[str]:
    """One run of a step for each variant of the options, side by side in processes of their own, each when it is done.

    Within such a process nothing goes side by side, and a training's progress bar keeps to the line of the variant.
    """
    tasks = [delayed(_in_worker)(step.name, {"bar": line} | one, parent.id) for line, one in enumerate(variants)]
    if tasks:
        yield from side_by_side(tasks, jobs_of(variants[0]))


def _has_seeds(name: str) -> bool:
    return "training_seed" in STEPS[name].options


def _in_worker(name: str, options: dict, parent_id: str) -> str:
    import entry_points.all_steps  # noqa: F401  (a new process knows no step yet)

    quiet()
    return _resolve_one(STEPS[name], options | {"jobs": 1}, Run(parent_id))


def _note(run: Run, step: Step, options: dict, upstream: dict[str, list[str]]) -> None:
    """Write down what the run is made from: options as resolved, fingerprint, the runs upstream of it."""
    closure = dict(upstream)
    for ids in upstream.values():
        for one in ids:
            for name, runs in upstream_of(Run(one)).items():
                closure[name] = list(dict.fromkeys([*closure.get(name, []), *runs]))
    made_from = step_fingerprint(step, options, upstream)
    check_upstream(run, made_from)
    run.log_json({name: options[name] for name in step.options}, "config.json")
    run.log_json(closure, "upstream.json")
    run.tag(FINGERPRINT, made_from)
