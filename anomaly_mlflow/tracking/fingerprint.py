"""What a run was made from, as one digest."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path

__all__ = ["fingerprint", "imported_sources"]


def fingerprint(sources: list[Path], values: dict) -> str:
    """sha256 (hex) over the content of source files and JSON values."""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def imported_sources(module: str, root: Path) -> tuple[Path, ...]:
    """The files below root that a dotted module imports, directly or not, itself included."""
    seen: dict[Path, None] = {}
    waiting = [module]
    while waiting:
        path = _file_of(waiting.pop(), root)
        if path and path not in seen:
            seen[path] = None
            waiting += _imports(path)
    return tuple(seen)


def _file_of(module: str, root: Path) -> Path | None:
    base = root.joinpath(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    # Importing a.b.c runs a and a.b too.
    return [".".join(parts[:end]) for parts in (name.split(".") for name in names) for end in range(1, len(parts) + 1)]
