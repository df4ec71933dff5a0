import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import rows
from benchmarks.__main__ import APART, BENCHMARKS
from benchmarks.measure import difference_of_means, exponent, interleaved, ratio_of_medians
from benchmarks.rows import Row, publish, read, table

FOLDER = Path(rows.__file__).parent


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "FILE", tmp_path / "bench.json")
    return tmp_path / "bench.json"


def test_a_ratio_is_that_of_medians_and_its_interval_holds_it():
    ratio, low, high = ratio_of_medians(np.array([3.0, 2.0, 100.0]), np.array([1.0, 1.0, 7.0]))
    assert ratio == 3.0
    assert (low, high) == (2.0, pytest.approx(100 / 7))  # all rounds drawn are the second, or the third


def test_rounds_are_drawn_together_so_that_what_slows_both_sides_cancels():
    slow = np.array([1.0, 5.0, 30.0, 200.0])
    assert ratio_of_medians(2 * slow, slow) == pytest.approx((2, 2, 2))


def test_seconds_that_grow_with_the_square_have_exponent_two():
    seconds = np.array([[1.0, 1.0, 9.0], [4.0, 4.0, 4.0], [16.0, 16.0, 1.0]])
    assert exponent(np.array([10, 20, 40]), seconds)[0] == pytest.approx(2)


def test_seconds_that_grow_with_the_number_have_exponent_one_in_every_draw():
    sizes = np.array([5.0, 10.0, 40.0])
    assert exponent(sizes, sizes[:, None] * [1.0, 2.0]) == pytest.approx((1, 1, 1))


def test_a_difference_of_means_has_a_sign_and_an_interval_around_it():
    difference, low, high = difference_of_means(np.array([1.0, 2.0, 3.0]), np.array([4.0, 4.0, 4.0]))
    assert (difference, low, high) == (-2.0, -3.0, -1.0)


def test_the_order_of_the_variants_is_turned_from_round_to_round():
    order = []
    ticks = iter([0, 1, 1, 3, 3, 6, 6, 10])
    variants = {name: lambda name=name: order.append(name) for name in "ab"}
    seconds = interleaved(variants, 2, clock=lambda: next(ticks))
    assert "".join(order) == "abba"
    assert {name: values.tolist() for name, values in seconds.items()} == {"a": [1, 4], "b": [2, 3]}


@pytest.mark.parametrize(
    ("bar", "words", "met"),
    [
        ((-math.inf, 1.03), "at most 1.03", False),
        ((2.5, math.inf), "at least 2.5", False),
        ((0.9, 1.1), "0.9 to 1.1", True),
        (None, None, None),
    ],
)
def test_a_row_says_what_was_wanted_and_whether_it_came(bar, words, met):
    row = Row("x", 1.04, 0.9, 1.2, 10, bar).to_dict()
    assert (row["bar"], row["met"]) == (words, met)


def test_the_rows_that_are_written_are_the_rows_that_are_printed(file, capsys):
    publish(
        [
            Row("slow", 12.3456, 11.0, 14.0, 7, (10, math.inf), "why"),
            Row("absent", None, None, None, 0, (1, 2), "no GPU"),
        ]
    )
    slow, absent = json.loads(file.read_text())
    assert {key: slow[key] for key in ("name", "ratio", "low", "high", "n", "met")} == {
        "name": "slow", "ratio": 12.3, "low": 11.0, "high": 14.0, "n": 7, "met": True,
    }  # fmt: skip
    assert "cores" in slow["hardware"] and "torch" in slow["hardware"]
    assert (absent["ratio"], absent["met"]) == (None, None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["slow", "12.3", "11", "to", "14", "7", "at", "least", "10", "met", "why"]
    assert lines[2].split() == ["absent", "-", "0", "1", "to", "2", "no", "GPU"]


def test_a_bar_that_is_missed_stands_out(file):
    publish([Row("slow", 9.0, 8.0, 11.0, 7, (10, math.inf))])
    assert "MISSED" in table(read())


def test_a_row_takes_the_place_of_an_older_one_of_its_name(file):
    publish([Row("a", 1.0, 1.0, 1.0, 2), Row("b", 2.0, 2.0, 2.0, 2)])
    publish([Row("a", 3.0, 3.0, 3.0, 2)])
    assert [(row["name"], row["ratio"]) for row in read()] == [("b", 2.0), ("a", 3.0)]


def test_every_benchmark_is_run_by_make_bench_or_said_to_be_run_by_itself():
    runnable = {path.stem for path in FOLDER.glob("*.py") if "\ndef main() -> None:" in path.read_text()}
    assert runnable == {*BENCHMARKS, *APART}
