"""The first sentence of the page of detectors."""

import pandas as pd

from entry_points.detect import lead


def test_the_best_of_several_detectors_comes_with_its_interval_and_a_word_on_the_choice():
    rows = [
        ("error", "all", name, "auroc", value, value - 0.05, value + 0.05) for name, value in (("a", 0.7), ("b", 0.8))
    ]
    said = lead(pd.DataFrame(rows, columns=["task", "arm", "detector", "measure", "value", "low", "high"]))
    assert "error: b 0.800 [0.750, 0.850]" in said
    assert "on the rows it is scored on, and so a little too high" in said
