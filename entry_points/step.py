"""What a step is: a named function, its options, and the steps it builds on."""

import runpy
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.run import Run

__all__ = ["STEPS", "Step", "Upstream", "only", "step"]

Upstream = dict[str, list[Run]]
StepFunction = Callable[[Run, dict, Upstream], None]


@dataclass(frozen=True)
class Step:
    """A step of the study.

    run_option: names an earlier run of this step; trains: log system metrics; per_seed: one run a training seed;
    check: raises on options that make no sense together, before anything is made; instead: an option of this step alone
    that, where it is given, stands for everything upstream. narrow: of the steps in `needs`, those that these options
    need; all where it is None.
    """

    name: str
    function: StepFunction
    own: tuple[str, ...]
    needs: tuple[str, ...]
    run_option: str | None
    trains: bool
    per_seed: bool
    check: Callable[[dict], None]
    instead: str | None = None
    narrow: Callable[[dict], Collection[str]] | None = None

    def needed(self, options: dict) -> tuple[str, ...]:
        """The steps upstream that these options need, in the order of `needs`."""
        wanted = self.needs if self.narrow is None else self.narrow(options)
        return tuple(need for need in self.needs if need in wanted)

    @property
    def options(self) -> tuple[str, ...]:
        """Own options and `resume`, then for each step upstream its options and the one that names a run of it."""
        names = dict.fromkeys((*self.own, *filter(None, [self.instead]), "resume"))
        for need in self.needs:
            names |= dict.fromkeys(name for name in STEPS[need].options if name != STEPS[need].instead)
            if STEPS[need].run_option:
                names[STEPS[need].run_option] = None
        return tuple(names)


STEPS: dict[str, Step] = {}


def step(
    name: str,
    *,
    own: tuple[str, ...],
    needs: tuple[str, ...] = (),
    run_option: str | None = None,
    trains: bool = False,
    per_seed: bool = False,
    check: Callable[[dict], None] = lambda options: None,
    instead: str | None = None,
    narrow: Callable[[dict], Collection[str]] | None = None,
) -> Callable[[StepFunction], StepFunction]:
    """Register a function (run, options, runs upstream) as a step. Raises ValueError on a taken name.

    `python -m entry_points.NAME` becomes `python -m entry_points NAME`.
    """

    def register(function: StepFunction) -> StepFunction:
        if function.__module__ == "__main__":
            sys.argv.insert(1, name)
            runpy.run_module("entry_points", run_name="__main__")  # ends the process
        if name in STEPS:
            raise ValueError(f"step '{name}' is registered already")
        STEPS[name] = Step(name, function, own, needs, run_option, trains, per_seed, check, instead, narrow)
        return function

    return register


def only(upstream: Upstream, name: str) -> Run:
    """The one run of a step upstream. Raises BadOption where several were named."""
    if len(upstream[name]) != 1:
        raise BadOption(f"{STEPS[name].run_option} names {len(upstream[name])} runs; exactly one is needed here")
    return upstream[name][0]
