"""`python -m entry_points.mlproject` prints the file MLproject: the click options in MLflow's words."""

import click
import yaml

import entry_points.all_steps  # noqa: F401
from entry_points.options import in_order
from entry_points.step import STEPS

__all__ = ["render"]

HEADER = "# Written by `make mlproject` from the options in entry_points/*_options.py.\n"


def render() -> str:
    """The text of MLproject."""
    return HEADER + yaml.safe_dump(
        {
            "name": "anomaly-mlflow",
            "conda_env": "conda.yaml",
            "entry_points": {name: _entry_point(name, in_order(step.options)) for name, step in sorted(STEPS.items())},
        },
        sort_keys=False,
        width=10_000,
    )


def _entry_point(name: str, options: list[click.Option]) -> dict:
    words = " ".join(f"--{option.name} {{{option.name}}}" for option in options)
    return {
        "parameters": {option.name: _parameter(option) for option in options},
        "command": f"python -m entry_points {name} {words}",
    }


def _parameter(option: click.Option) -> dict:
    number = isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
    return {"type": "float" if number else "string", "default": option.default}


if __name__ == "__main__":
    print(render(), end="")
