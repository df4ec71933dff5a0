import math

import numpy as np
import pytest
from planted_fusion import FACTS, PAIRS, REPORTED, N, outcome, result

from anomaly_mlflow.studies.fusion_claims import fusion_report, judge_claims
from anomaly_mlflow.studies.fusion_grid import FACTORS, PLAIN, Cell, grid
from anomaly_mlflow.studies.fusion_shares import (
    Pairs,
    attribution_table,
    facts_table,
    less_metadata,
    outcomes,
    seeds_table,
    shares,
    shares_table,
)

FAST = {"draws": 400}
DROPOUT = Cell("modality_dropout", 0.5)


def test_an_answer_is_the_metadatas_the_images_or_neither():
    pairs = Pairs(np.array([0, 0, 0, 2]), np.array([1, 1, 1, 0]), np.arange(4))
    assert outcomes(np.array([1, 0, 2, 0]), pairs).tolist() == [0, 1, 2, 0]


def test_intervals_of_a_single_training_are_those_that_the_report_implies():
    table = seeds_table([result(REPORTED, seeds=1)], first_seed=4)
    assert table["training_seed"].tolist() == [4] * 3 and table["hits"].tolist() == list(REPORTED)
    # Wilson's, 95 %, of 408, 56 and 36 of 500: by the formula, to a tenth of a point
    ends = table[["low", "high"]].mul(100).round(1).to_numpy().tolist()
    assert ends == [[78.0, 84.8], [8.7, 14.3], [5.2, 9.8]]


def test_shares_are_means_over_seeds_and_sum_to_one():
    found = shares(np.stack([outcome((500, 0, 0), 1)[0], outcome((0, 400, 100), 1)[0]]), PAIRS, **FAST)
    assert [found[name].value for name in found] == pytest.approx([0.5, 0.4, 0.1])
    assert found["metadata"].low < 0.05 and found["metadata"].high > 0.95  # two seeds that say the opposite


def test_where_all_pairs_end_alike_the_interval_is_wilsons_of_one_training():
    found = shares(outcome((500, 0, 0)), PAIRS, **FAST)
    bound = 1 / (1 + 1.959964**2 / 500)
    assert found["metadata"].low == pytest.approx(bound, abs=1e-6) and found["metadata"].high == 1
    assert found["visual"].low == 0 and found["visual"].high == pytest.approx(1 - bound, abs=1e-6)


def test_pairs_of_one_image_are_no_independent_witnesses():
    twice = Pairs(PAIRS.image_class, PAIRS.metadata_class, np.arange(N) // 20 * 10 + np.arange(N) % 10)
    doubled = outcome((250, 200, 50), 1)[:, twice.groups]
    assert twice.images == 250
    for measure in (
        lambda pairs: shares(doubled, pairs, draws=2000)["metadata"],
        lambda pairs: less_metadata(np.ones_like(doubled), doubled, pairs, draws=2000),
    ):
        alone, together = measure(PAIRS), measure(twice)
        assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(math.sqrt(2), rel=0.12)


def test_a_difference_is_paired_by_seed_and_pair():
    plain = outcome((300, 200, 0))
    none = less_metadata(plain, plain, PAIRS, **FAST)
    assert none.value == 0 and none.high == -none.low == pytest.approx(1.96 * 1 / (N + 2))  # half a pair a cell
    fewer = np.where((plain == 0) & (np.arange(N) < 100), 1, plain)
    lost = less_metadata(fewer, plain, PAIRS, **FAST)
    assert lost.value == pytest.approx((plain[:, :100] == 0).mean() / 5) and lost.low > 0


def test_the_tables_have_a_row_for_each_cell_and_outcome():
    results = [result(REPORTED), result((200, 250, 50), DROPOUT)]
    table = shares_table(results, PAIRS, **FAST)
    assert table["cell"].tolist() == ["plain"] * 3 + ["modality_dropout=0.5"] * 3
    assert table["outcome"].tolist() == ["metadata", "visual", "confused"] * 2
    assert table["value"].tolist() == pytest.approx([0.816, 0.112, 0.072, 0.4, 0.5, 0.1])
    assert set(table["n"]) == set(table["images"]) == {500} and set(table["seeds"]) == {3}
    attribution = attribution_table(results, PAIRS, **FAST)
    assert attribution["pairs"].tolist() == ["conflict", "consistent"] * 2
    assert attribution["value"].tolist() == pytest.approx([0.8, 0.6] * 2)
    facts = facts_table(results)
    assert facts.columns.tolist() == ["cell", *FACTS] and facts["consistent_accuracy"].tolist() == [0.9, 0.9]


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [((408, 56, 36), "supported"), ((56, 408, 36), "refuted"), ((250, 240, 10), "undecided")],
)
def test_dominance_is_judged_by_where_its_interval_lies(counts, verdict):
    first = judge_claims([result(counts)], PAIRS, **FAST).iloc[0]
    assert (first["claim"], first["verdict"], first["margin"]) == ("F1", verdict, 0.5)


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [((200, 264, 36), "supported"), ((408, 56, 36), "undecided"), ((490, 5, 5), "refuted")],
)
def test_a_mitigation_holds_where_the_whole_difference_lies_above_zero(counts, verdict):
    claims = judge_claims([result(REPORTED), result(counts, DROPOUT)], PAIRS, **FAST)
    assert claims["claim"].tolist() == ["F1", "F2"] and claims["verdict"].tolist() == ["supported", verdict]


def test_a_mitigation_that_changes_nothing_is_not_supported():
    plain = result((500, 0, 0))
    claims = judge_claims([plain, result((500, 0, 0), DROPOUT)], PAIRS, **FAST)
    assert claims["verdict"].tolist() == ["supported", "undecided"]


@pytest.mark.parametrize(
    ("counts", "verdicts"),
    [
        (REPORTED, ["yes", "yes", "yes"]),
        ((500, 0, 0), ["no", "no", "no"]),
        ((385, 80, 35), ["undecided", "undecided", "yes"]),
    ],
)
def test_a_figure_is_reproduced_where_the_whole_interval_lies_within_five_points(counts, verdicts):
    table = fusion_report([result(counts)], PAIRS, "CIFAR-10, convnet", comparable=True, **FAST)
    assert table.columns.tolist() == ["figure", "report", "ours", "low", "high", "n", "verdict", "why"]
    assert table["verdict"].tolist() == verdicts and table["report"].tolist() == [0.816, 0.112, 0.072]
    assert table["why"].str.contains("CIFAR-10, convnet").all() and set(table["n"]) == {500}


def test_on_other_data_than_the_reports_no_figure_counts_as_reproduced_or_not():
    table = fusion_report([result(REPORTED)], PAIRS, "digits, convnet", comparable=False, **FAST)
    assert set(table["verdict"]) == {"undecided"} and table["why"].str.contains("other data than the report's").all()


def first_reason(results):
    return fusion_report(results, PAIRS, "", comparable=True, **FAST)["why"][0]


def test_the_table_says_whether_the_order_of_the_shares_is_the_reports():
    same, other = (first_reason([result(counts)]) for counts in (REPORTED, (56, 408, 36)))
    assert "stand in the same order" in same and "the order is visual, metadata, confused" in other


def test_the_table_says_how_far_the_share_moves_without_the_controls():
    results = [result(REPORTED), result((200, 250, 50), DROPOUT), result((0, 500, 0), Cell("modalities", "image"))]
    assert "40.0 to 81.6 % over all our settings" in first_reason(results)


def test_a_handful_of_changed_pairs_proves_nothing():
    plain = np.zeros((1, N), np.int64)
    for changed, proven in ((3, False), (10, True)):
        fewer = np.where(np.arange(N) < changed, 1, plain)
        ends = less_metadata(fewer, plain, PAIRS, **FAST)
        lost, n = changed + 0.5, N + 2  # Agresti and Min (2005), by hand
        middle, half = (lost - 0.5) / n, 1.96 * math.sqrt(lost + 0.5 - (lost - 0.5) ** 2 / n) / n
        assert ends.low <= middle - half + 1e-12 and ends.high >= middle + half - 1e-12
        assert (ends.low > 0) is proven


def test_the_grid_has_the_plain_training_each_other_level_once_and_the_controls():
    cells = grid({name: [PLAIN[name], 0.5, 0.5] for name in FACTORS})
    assert [cell.name for cell in cells] == [
        "plain",
        "consistent_share=0.5",
        "metadata_noise=0.5",
        "modality_dropout=0.5",
        "embedding_noise=0.5",
        "metadata_scale=0.5",
        "image only",
        "metadata only",
    ]
    assert cells[0].settings == PLAIN
    for cell in cells[1:]:
        assert {name for name, value in cell.settings.items() if value != PLAIN[name]} == {cell.factor}
    assert [math.isnan(cell.level) for cell in cells] == [True, *[False] * 5, True, True]
