"""The rows of bench.json, and the table that is printed of them."""

import json
import math
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

__all__ = ["Row", "publish", "read", "table"]

FILE = Path("bench.json")


@dataclass(frozen=True)
class Row:
    """One figure. ratio: None where it could not be measured, as the note says.

    low, high: 95 % interval over n interleaved repeats; bar: lowest and highest ratio that is wanted, None where the
    figure is for information.
    """

    name: str
    ratio: float | None
    low: float | None
    high: float | None
    n: int
    bar: tuple[float, float] | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the ratio lies within the bar; None without one."""
        return None if self.bar is None or self.ratio is None else self.bar[0] <= self.ratio <= self.bar[1]

    def to_dict(self) -> dict:
        """Plain types for JSON."""
        figures = {key: value and _rounded(value) for key, value in asdict(self).items() if isinstance(value, float)}
        return {**asdict(self), **figures, "hardware": hardware(), "bar": _words(self.bar), "met": self.met}


def publish(rows: list[Row]) -> None:
    """Put rows into bench.json, in place of those of the same name, and print them."""
    new = [row.to_dict() for row in rows]
    names = {row["name"] for row in new}
    FILE.write_text(json.dumps([*(row for row in read() if row["name"] not in names), *new], indent=1))
    print(table(new))


def read() -> list[dict]:
    """The rows of bench.json; none where there is no such file."""
    return json.loads(FILE.read_text()) if FILE.exists() else []


def table(rows: list[dict]) -> str:
    """Name, ratio, interval, repeats, bar and note of each row, in columns."""
    lines = [("what", "ratio", "95 % interval", "n", "wanted", "", "note"), *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[6]]) for line in lines
    )


def hardware() -> str:
    """The processor, its cores, whether it multiplies bfloat16 tiles, the accelerator, and PyTorch's version."""
    info = Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in _lines(info) if line.startswith("model name")]
    amx = "with AMX" if torch.cpu._is_amx_tile_supported() else "without AMX"
    gpu = [torch.cuda.get_device_name()] if torch.cuda.is_available() else []
    cpu = f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {amx}"
    return ", ".join([cpu, *gpu, f"torch {torch.__version__}"])


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _cells(row: dict) -> tuple[str, ...]:
    met = {True: "met", False: "MISSED", None: ""}[row["met"]]
    spread = "" if row["low"] is None else f"{row['low']:g} to {row['high']:g}"
    ratio = "-" if row["ratio"] is None else f"{row['ratio']:g}"
    return row["name"], ratio, spread, str(row["n"]), row["bar"] or "", met, row["note"]


def _rounded(value: float) -> float:
    return float(f"{value:.3g}") if abs(value) < 1 else round(value, 3 if abs(value) < 10 else 1)


def _words(bar: tuple[float, float] | None) -> str | None:
    if bar is None:
        return None
    low, high = bar
    if math.isinf(low):
        return f"at most {high:g}"
    return f"at least {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"
