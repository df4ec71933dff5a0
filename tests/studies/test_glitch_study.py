"""Grid, table, pattern and page of the glitch study on planted figures: no model is trained."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.report.figures.glitches import SIGNALS, f1_bars, ratio_curves
from anomaly_mlflow.report.glitches_page import glitches_page
from anomaly_mlflow.report.glitches_words import pattern_lines
from anomaly_mlflow.signals.influence_scores import InfluenceSettings
from anomaly_mlflow.signals.traces import Checkpoint, Traces
from anomaly_mlflow.studies.characterisation import share
from anomaly_mlflow.studies.glitch_grid import Data, chosen_ablations, chosen_glitches, grid
from anomaly_mlflow.studies.glitch_pattern import judge_pattern
from anomaly_mlflow.studies.glitch_scores import COUNTERFACTUAL, Stopwatch, glitch_scores, scores_frame, scores_of
from anomaly_mlflow.studies.glitch_table import (
    SeedResult,
    counts_table,
    seconds_table,
    signals_table,
    summarise,
    wide,
)

NAMES = [*SIGNALS, *(f"{name}_matched" for name in COUNTERFACTUAL)]
# methods 4.4, the toy that the pattern is read off: F1 of SI, MAI, MI, GD-class, CNCI, PCID, CFRank
TOY = {
    "uniform": (0.883, 0.446, 0.073, 0.661, 0.916, 0.000, 0.497),
    "anomalies_one_label": (0, 0, 0, 0, 0, 0.970, 0.500),
    "anomalies_random_labels": (0.491, 0.146, 0.1, 0.021, 0.636, 0.000, 0.393),
    "mixed": (0.496, 0.352, 0.097, 0.431, 0.496, 0.500, 0.957),
}
CPU = InfluenceSettings(device="cpu")
ORDER = ("si", "mai", "mi", "gd_class", "cnci", "pcid", "cfrank")
FACTS = {"test_accuracy": 0.9, "ceiling": 0.952, "chance": 0.1, "rows": 1100.0, "errors": 100.0}
SECONDS = {"training": 10.0, "influence": 0.5, "counterfactual": 0.4, "signals": 0.1}


def seed_result(f1, seed, noise=0.01):
    rng = np.random.default_rng(seed)
    values = {name: 0.3 for name in NAMES} | dict(zip(ORDER, f1, strict=True))
    frame = pd.DataFrame([(name, "f1_known", value) for name, value in values.items()])
    frame.columns = ["signal", "measure", "value"]
    draws = {f"{name}.f1_known": value + noise * rng.normal(size=200) for name, value in values.items()}
    counts = {"characterisation": (9, 10), "repair": (4, 5)}
    counted = pd.DataFrame({"characterisation.hits": 9.0, "characterisation.of": 10.0}, index=range(200))
    counted = counted.assign(**{"repair.hits": 4 + 0.5 * rng.normal(size=200), "repair.of": 5.0})
    return SeedResult(frame, pd.DataFrame(draws), counts, counted, FACTS, SECONDS)


def summary(glitch, f1, seeds=3, ratio=0.1, reference_noise=0.0, **how):
    key = {"dataset": "digits", "model": "convnet", "glitch": glitch, "ratio": ratio}
    return summarise(
        key | {"reference_noise": reference_noise}, [seed_result(f1, seed, **how) for seed in range(seeds)]
    )


@pytest.fixture(scope="module")
def toy():
    return [summary(glitch, f1) for glitch, f1 in TOY.items()]


def verdicts(summaries):
    return dict(judge_pattern(summaries)[["statement", "verdict"]].itertuples(index=False))


def test_the_figures_of_the_toy_support_every_part_of_the_pattern(toy):
    assert verdicts(toy) == dict.fromkeys(("P1", "P2", "P3", "P4"), "supported")


@pytest.mark.parametrize(
    ("glitch", "f1", "statement"),
    [
        ("uniform", (0.9, 0.4, 0.1, 0.6, 0.8, 0, 0.5), "P1"),
        ("anomalies_one_label", (0.8, 0, 0, 0, 0, 0.97, 0.5), "P2"),
        ("anomalies_random_labels", (0.5, 0.1, 0.1, 0, 0.6, 0.4, 0.4), "P3"),
        ("mixed", (0.5, 0.3, 0.1, 0.4, 0.99, 0.5, 0.957), "P4"),
    ],
)
def test_other_figures_refute_it_and_wide_intervals_leave_it_open(glitch, f1, statement):
    assert verdicts([summary(glitch, f1)]) == {statement: "refuted"}
    assert verdicts([summary(glitch, f1, noise=0.5)]) == {statement: "undecided"}
    assert verdicts([summary(glitch, TOY[glitch], noise=0.5)]) == {statement: "undecided"}


def test_cells_with_wrong_reference_labels_have_no_vote(toy):
    assert judge_pattern([replace(one, key={**one.key, "reference_noise": 0.2}) for one in toy]).empty


def test_an_interval_holds_what_seeds_and_what_rows_differ_by():
    alike = [seed_result(TOY["uniform"], seed) for seed in range(3)]
    apart = [seed_result([value + 0.1 * seed for value in TOY["mixed"]], seed) for seed in range(3)]
    key = summary("uniform", TOY["uniform"]).key
    inner, outer = (summarise(key, seeds).interval("si.f1_known") for seeds in (alike, apart))
    assert inner.value == pytest.approx(0.883) and 0.01 < inner.high - inner.low < 0.06
    assert outer.value == pytest.approx(0.596) and outer.high - outer.low > 0.15
    lone = summarise(key, alike[:1]).interval("si.f1_known")
    assert lone.high - lone.low == pytest.approx(2 * 1.96 * 0.01, rel=0.3)


def test_a_difference_is_paired_in_each_draw():
    both = seed_result(TOY["uniform"], 0)
    both.draws["cnci.f1_known"] = both.draws["si.f1_known"] + 0.033
    ends = summarise(summary("uniform", TOY["uniform"]).key, [both]).difference("cnci.f1_known", ["si.f1_known"])
    assert (ends.low, ends.high) == pytest.approx((0.033, 0.033))


def test_counts_are_pooled_over_seeds_and_times_are_means(toy):
    counts = counts_table(toy)
    assert set(zip(counts["measure"], counts["hits"], counts["of"], strict=True)) == {
        ("characterisation", 27, 30),
        ("repair", 12, 15),
    }
    one = toy[0]
    spread = 0.1 * np.sqrt(0.5 * 4 / 3)  # two of three seeds, drawn with replacement: (1 + 1/3) / 2 of one's variance
    assert one.share_draws["repair"].std() == pytest.approx(spread, rel=0.15)
    assert one.share("characterisation") == share(27, 30) and one.share("repair").value == 0.8
    assert seconds_table(toy)["share of training"].tolist() == pytest.approx([0.1])


def test_the_grid_has_every_combination_once_and_its_ablations():
    data = [Data("mnist"), Data("digits"), Data("x", anomalies="noise")]
    assert [one.foreign for one in data] == ["fashion_mnist", "photographs", "noise"]
    cells = grid(data, ["convnet", "vit"], ["uniform", "mixed"], 0.1, [])
    assert len(set(cells)) == len(cells) == 12
    more = grid(data[:1], ["vit"], ["uniform"], 0.1, ["ratios", "reference"])
    assert len(set(more)) == len(more)
    assert [cell.ratio for cell in more if cell.glitch == "uniform" and not cell.reference_noise] == [
        0.1, 0.01, 0.05, 0.2, 0.3,
    ]  # fmt: skip
    assert {cell.ratio for cell in more if cell.glitch == "anomalies_one_label"} == {0.01, 0.05, 0.1, 0.2, 0.3}
    assert sum(cell.reference_noise > 0 for cell in more) == 3


def test_names_are_taken_once_each_and_unknown_ones_refused():
    assert chosen_glitches("mixed, uniform,mixed") == ["uniform", "mixed"]
    assert len(chosen_glitches("all")) == 8 and chosen_ablations("none") == []
    with pytest.raises(UnknownName, match="unknown glitch 'unifrom'; known: "):
        chosen_glitches("uniform,unifrom")
    with pytest.raises(UnknownName, match="unknown ablation 'ratio'; known: ratios, reference"):
        chosen_ablations("ratio")


def test_the_page_says_first_what_holds_and_shows_every_signal(toy):
    ratios = [summary("uniform", TOY["uniform"], ratio=ratio) for ratio in (0.05, 0.2)]
    noisy = [summary("mixed", TOY["mixed"], reference_noise=0.2)]
    whole = [*toy, *ratios, *noisy]
    table, pattern = signals_table(whole), judge_pattern(whole)
    frames = (table, counts_table(whole), pattern, seconds_table(whole), wide(table, whole))
    page = glitches_page(*frames, whole, {"seed": 0})
    first = page.split('id="section-1"')[1].split("<h2")[0]
    assert "P1, “On label noise CNCI is at least as good as self-influence”" in first
    assert "it holds on digits, convnet, uniform at 10 % (+0.033, 95 % interval" in first
    assert "27 of 30 (90.0 %, 95 % interval 74.4 to 96.5) of the errors that CFRank flags" in page
    assert "Other ratios" in page and "Wrong labels in the reference set" in page and page.count("<img") == 3
    assert not re.search(r"(src|href)=\"http", page)
    assert len(pattern_lines(pattern)) == len(pattern) == 6
    assert set(f1_bars(table, whole)) == {"digits-convnet"}
    assert ratio_curves(signals_table(toy)) is None


def traces(seed=0, n=40, m=30, classes=3, width=4):
    rng = np.random.default_rng(seed)

    def seen(rows):
        logits = rng.normal(size=(rows, classes))
        return rng.normal(size=(rows, width)), np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    states = [Checkpoint(rate, *seen(n), *seen(m)) for rate in (0.1, 0.05, 0.01)]
    return Traces(states, rng.integers(0, classes, n), rng.integers(0, classes, m))


def test_every_score_is_there_and_matched_states_change_the_counterfactual_ones_alone():
    planted, watch = traces(), Stopwatch()
    found = glitch_scores(planted, watch, CPU)
    assert set(found.by_name) >= set(NAMES) and all(one.shape == (40,) for one in found.by_name.values())
    assert set(watch.seconds) == {"influence", "counterfactual", "signals"} and min(watch.seconds.values()) > 0
    last = planted.checkpoints[-1].probabilities[np.arange(40), planted.labels]
    assert found.by_name["final_loss"] == pytest.approx(-np.log(last))
    for name in COUNTERFACTUAL:
        assert not np.allclose(found.by_name[name], found.by_name[f"{name}_matched"])
    alone = glitch_scores(replace(planted, checkpoints=planted.checkpoints[-1:]), Stopwatch(), CPU)
    for name in COUNTERFACTUAL:
        assert np.allclose(alone.by_name[name], alone.by_name[f"{name}_matched"])


def test_scores_come_back_from_their_frame_and_the_cosine_changes_all_but_the_loss():
    planted = traces()
    found = glitch_scores(planted, Stopwatch(), CPU)
    back = scores_of(scores_frame(found, np.arange(40), planted.labels))
    assert list(back.by_name) == list(found.by_name)
    assert all(np.array_equal(back.by_name[name], found.by_name[name]) for name in found.by_name)
    assert np.array_equal(back.repair_label, found.repair_label)
    assert np.array_equal(back.called_mislabelled, found.called_mislabelled)
    cosine = glitch_scores(planted, Stopwatch(), replace(CPU, cosine=True)).by_name
    assert np.array_equal(cosine["final_loss"], found.by_name["final_loss"])
    assert not any(np.allclose(cosine[name], found.by_name[name]) for name in (*ORDER, "cnci_matched"))
