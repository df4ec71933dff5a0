"""`python -m entry_points STEP --option value`: what `mlflow run . -e STEP` calls."""

import signal
import sys

import click

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.errors import AnomalyError
from anomaly_mlflow.tracking.lifecycle import Terminated, fail_waiting_run
from entry_points.options import in_order
from entry_points.resolve import perform
from entry_points.step import STEPS, Step
from entry_points.terminal import quiet

__all__ = ["cli"]


def _command(step: Step) -> click.Command:
    def run(**options: object) -> None:
        perform(step, options)

    return click.Command(step.name, callback=run, params=in_order(step.options), help=step.function.__doc__)


def cli() -> click.Group:
    """All steps as click commands."""
    return click.Group("entry_points", {name: _command(step) for name, step in STEPS.items()}, help=__doc__)


def _terminate(number: int, frame: object) -> None:
    raise Terminated


def run(arguments: list[str]) -> int:
    """Run a command line; errors end in one line. Exit codes: 1 failed, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        cli().main(arguments, prog_name="python -m entry_points", standalone_mode=False)
    except click.UsageError as error:
        _fail(" ".join(error.format_message().split()))
        return 2
    except AnomalyError as error:
        _fail(str(error))
        return 1
    except (KeyboardInterrupt, click.Abort):
        return 130
    except Terminated:
        return 143
    return 0


def _fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    try:
        fail_waiting_run()
    except AnomalyError as error:
        print(f"error: {error}", file=sys.stderr)


if __name__ == "__main__":
    quiet()
    sys.exit(run(sys.argv[1:]))
