"""`python -m entry_points STEP --option value`: what `mlflow run . -e STEP` calls; under torchrun on several ranks."""

import logging
import sys

from anomaly_mlflow.errors import AnomalyError
from entry_points.terminal import quiet


def command() -> int:
    """Run what was typed."""
    from entry_points.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    try:
        # Imported here and there because it takes seconds, in which Ctrl-C shall end quietly too.
        from anomaly_mlflow.training.ranks import run_on_ranks

        quiet()
        sys.exit(run_on_ranks(command))
    except KeyboardInterrupt:
        sys.exit(130)
    except AnomalyError as error:  # a plugin that cannot be loaded
        logging.getLogger("entry_points").error("%s", error)
        sys.exit(1)
