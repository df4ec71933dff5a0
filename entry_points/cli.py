"""The command line: all steps as click commands, every error in one line."""

import logging
import os
import signal
import sys
from contextlib import suppress

import click

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.errors import AnomalyError
from anomaly_mlflow.signals.catalogue import listing
from anomaly_mlflow.tracking.current import begin
from anomaly_mlflow.tracking.lifecycle import Terminated, fail_waiting_run
from anomaly_mlflow.tracking.server import hide_password
from anomaly_mlflow.training.torchrun import number_of_ranks
from entry_points.doctor import doctor
from entry_points.options import in_order
from entry_points.prune_recordings import prune_recordings
from entry_points.resolve import perform
from entry_points.step import STEPS, Step
from entry_points.terminal import one_line, quiet

__all__ = ["cli", "run"]

logger = logging.getLogger(__name__)


KEEPING = (doctor, prune_recordings)
"""Commands that look after what the steps have written; they are no entry points of MLproject."""


def _command(step: Step) -> click.Command:
    def run(**options: object) -> None:
        if number_of_ranks() > 1 and step.name != "train_noisy":
            logger.info("note: train_noisy alone trains on all %d ranks; %s on one", number_of_ranks(), step.name)
        begin(step.name, None)
        perform(step, options)

    # \b keeps click from filling the lines.
    epilog = f"\b\nSignals:\n{listing()}" if step.name == "extract_features" else None
    return click.Command(
        step.name, callback=run, params=in_order(step.options), help=step.function.__doc__, epilog=epilog
    )


def cli() -> click.Group:
    """All commands: the steps, and what looks after the store."""
    return click.Group(
        "entry_points",
        {name: _command(step) for name, step in STEPS.items()} | {each.name: each for each in KEEPING},
        help="The steps of the anomaly study; each is an MLflow run. doctor and prune_recordings make none.",
    )


def run(arguments: list[str]) -> int:
    """Run a command line; errors end in one line. Exit codes: 1 failed, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM."""
    signal.signal(signal.SIGTERM, _terminate)
    quiet()
    hide_password()
    try:
        code = cli().main(arguments, prog_name="python -m entry_points", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help(), file=sys.stderr)
        return 2
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except AnomalyError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error}; check the path, its permissions and the free space")
    except (KeyboardInterrupt, click.Abort):
        return 130
    except Terminated:
        return 143
    except Exception as error:
        if os.environ.get("ANOMALY_DEBUG"):
            raise
        return _fail(f"unexpected {error!r}; ANOMALY_DEBUG=1 shows the traceback, please report it")
    return code or 0


def _terminate(number: int, frame: object) -> None:
    raise Terminated


def _fail(message: str, code: int = 1) -> int:
    """Say it in one line, close the run that `mlflow run` opened, give back the exit code."""
    logger.error("%s", one_line(message))
    with suppress(AnomalyError):
        fail_waiting_run()
    return code
