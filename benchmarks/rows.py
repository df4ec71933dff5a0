"""bench.json: one row a benchmark."""

import json
from pathlib import Path

__all__ = ["keep"]


def keep(name: str, row: dict) -> None:
    """Put a benchmark's row into bench.json beside the others."""
    path = Path("bench.json")
    rows = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(rows | {name: row}, indent=1))
