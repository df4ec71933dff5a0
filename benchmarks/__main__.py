"""`python -m benchmarks [NAME ...]`: run benchmarks, each in a process of its own; one table, and bench.json."""

import argparse
import subprocess
import sys

from tqdm import tqdm

from benchmarks.rows import FILE, read, table

BENCHMARKS = (
    "recording",
    "speed",
    "accuracy",
    "augmentation",
    "server",
    "group_by",
    "growth",
    "memory",
    "signals",
    "influence",
    "gpu",
    "monitor",
)
APART = ("human_noise", "load")
"""Run by themselves, `python -m benchmarks.NAME`: one trains for an hour, one needs PostgreSQL."""


def main() -> int:
    """Exit code 1 if a benchmark failed; a bar that is missed is said in the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; default: all")
    names = parser.parse_args().names
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    FILE.unlink(missing_ok=True)
    failed = []
    for name in tqdm(names or BENCHMARKS, "benchmarks"):
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], stdout=subprocess.DEVNULL).returncode:
            failed.append(name)
    print(table(read()))
    if failed:
        print(f"failed, see above: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
