"""Who may import whom, read from the sources by ast; imports inside functions count."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "anomaly_mlflow"
ORDER = ("data", "anomalies", "models", "training", "signals", "detection", "cleaning", "studies", "report")


def violations(root):
    """Sentences about what breaks the rules in root/anomaly_mlflow; empty where all is well."""
    modules = {_name(path, root): path for path in sorted((Path(root) / PACKAGE).rglob("*.py"))}
    imports = {name: sorted(imported(path)) for name, path in modules.items()}
    found = [
        f"{name} imports {target}: {reason}"
        for name, targets in imports.items()
        for target in targets
        if (reason := forbidden(name, target))
    ]
    return found + _cycles(imports, modules)


def imported(path):
    """Dotted names of all that a file imports, `from a import b` as a.b, and dynamic imports of a literal name."""
    targets = set()
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = "." * node.level + (node.module or "")
            targets.update(f"{stem}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node.func) in ("import_module", "__import__") and node.args:
            targets.update({node.args[0].value} if isinstance(node.args[0], ast.Constant) else ())
    return targets


def forbidden(module, target):
    """Why `module` may not import `target`, or None."""
    importer, top = part(module), target.split(".")[0]
    if target.startswith("."):
        return "imports are absolute"
    if top == "mlflow":
        return None if importer == "tracking" else "only tracking imports mlflow"
    if top == "entry_points":
        return "entry points are imported by nobody"
    if top != PACKAGE:
        return None
    return _inside(importer, part(target))


def _inside(importer, target):
    if target in (importer, "errors", "__version__"):
        return None
    if target == "tracking" or importer == "tracking":
        return "tracking stands apart and knows the errors alone"
    if importer in ("", "errors") or target == "":
        return "the package itself and errors import nothing of the package, and nobody imports the whole"
    unknown = {importer, target} - set(ORDER)
    if unknown:
        return f"{unknown.pop()} has no place in the order {' < '.join(ORDER)}"
    return None if ORDER.index(target) < ORDER.index(importer) else "imports run downward only"


def part(name):
    """The part of the package that a dotted name lies in: `data` of anomaly_mlflow.data.samples."""
    return [*name.split("."), ""][1]


def _cycles(imports, modules):
    graph = {name: {_module(target, modules) for target in targets} - {None, name} for name, targets in imports.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"modules import each other: {' -> '.join(error.args[1])}"]
    return []


def _module(target, modules):
    if target in modules:
        return target
    stem = target.rpartition(".")[0]
    return stem if stem in modules else None


def _name(path, root):
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _called(function):
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
