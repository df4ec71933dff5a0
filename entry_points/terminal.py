"""What reaches the terminal."""

import logging
import warnings

__all__ = ["quiet"]


def quiet() -> None:
    """Leave on the terminal what the user can act on: our own warnings, results, progress."""
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    for name in ("mlflow", "lightning_fabric", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="mlflow|lightning_fabric|pydantic|sqlalchemy")
    warnings.filterwarnings("ignore", "An input example was not provided|.*noload|Grad strides do not match")
