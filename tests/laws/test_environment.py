import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
RANGES = [Requirement(text) for text in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]]
PINS = [Requirement(text) for text in yaml.safe_load((ROOT / "conda.yaml").read_text())["dependencies"][-1]["pip"]]


def test_conda_pins_exactly_what_the_package_depends_on():
    assert {pin.name for pin in PINS} == {wanted.name for wanted in RANGES}
    assert all([one.operator for one in pin.specifier] == ["=="] for pin in PINS)


def test_every_pin_lies_in_the_range_of_the_package():
    ranges = {wanted.name: wanted.specifier for wanted in RANGES}
    for pin in PINS:
        version = next(iter(pin.specifier)).version
        assert version in ranges[pin.name], pin
