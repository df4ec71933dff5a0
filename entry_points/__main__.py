"""`python -m entry_points STEP --option value`: what `mlflow run . -e STEP` calls."""

import sys

from anomaly_mlflow.errors import AnomalyError

if __name__ == "__main__":
    try:
        # Imported here because it takes seconds, in which Ctrl-C shall end quietly too.
        from entry_points.cli import quiet, run
    except KeyboardInterrupt:
        sys.exit(130)
    except AnomalyError as error:  # a plugin that cannot be loaded
        sys.exit(f"error: {error}")
    quiet()
    sys.exit(run(sys.argv[1:]))
