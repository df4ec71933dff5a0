import numpy as np
import pytest
import synthetic

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadData, Leakage
from anomaly_mlflow.studies.claims import CLAIMS, find_part
from anomaly_mlflow.studies.hypotheses import COLUMNS, judge, verdict_lines

HARD, NEAR = AnomalyType.HARD, AnomalyType.NEAR_MISS
MANY = {**synthetic.COUNTS, HARD: 1500, NEAR: 1500, AnomalyType.CLEAN: 200}
FEW = {**synthetic.COUNTS, HARD: 25, NEAR: 25, AnomalyType.CLEAN: 100}
# Dynamics alone tell nothing, uncertainty tells all: the reverse of H2 and H3; nothing is far away: that of H1.
REVERSED = {"uncertainty.entropy": {NEAR: 2.0}}


def verdicts(shifts=synthetic.AS_CLAIMED, counts=synthetic.COUNTS, draws=300):
    truth = synthetic.ledger(counts)
    return judge(synthetic.whole(synthetic.features(truth, shifts)), truth, np.arange(len(truth)), draws=draws)


def of(frame, claim):
    return frame[(frame["claim"] == claim) & (frame["metric"] == "verdict")]["verdict"].item()


def cell(frame, claim, arm, metric):
    return frame[(frame["claim"] == claim) & (frame["arm"] == arm) & (frame["metric"] == metric)].iloc[0]


@pytest.fixture(scope="module")
def claimed():
    return verdicts(counts=MANY)


@pytest.fixture(scope="module")
def reversed_():
    return verdicts(REVERSED)


def test_a_world_made_as_the_claims_say_supports_them(claimed):
    assert [of(claimed, claim.name) for claim in CLAIMS] == ["supported"] * 3


def test_the_reversed_world_refutes_them(reversed_):
    assert [of(reversed_, claim.name) for claim in CLAIMS] == ["refuted"] * 3


def test_no_effect_does_not_support_h1_or_h3():
    frame = verdicts({})
    assert of(frame, "H1") == "refuted"
    assert of(frame, "H3") in ("undecided", "refuted")


def test_equivalence_is_undecided_with_few_rows_and_supported_with_many(claimed):
    few = verdicts(counts=FEW)
    assert of(few, "H2") == "undecided"
    assert of(claimed, "H2") == "supported"


def test_the_frame_is_flat_and_lists_every_part_every_rate_and_every_claim(claimed):
    assert claimed.columns.tolist() == COLUMNS
    assert not claimed.duplicated(["claim", "arm", "metric"]).any()
    for claim in CLAIMS:
        assert all(len(cell(claimed, claim.name, part.arm, part.metric)) for part in claim.parts)
    for arm in ("dynamics", "uncertainty", "control"):
        for rate in ("auroc", "precision", "recall", "f1"):
            found = cell(claimed, "H3", arm, f"near_miss_vs_hard.{rate}")
            assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1
            assert found["n"] == 3000


def test_the_control_arm_is_printed_and_has_no_vote():
    shifts = {"dynamics.final_loss": {NEAR: 2.0}}  # seeing the label once is all that dynamics have
    frame = verdicts(shifts)
    control = cell(frame, "H3", "dynamics - control", "near_miss_vs_hard.auroc_difference")
    assert of(frame, "H3") == "supported"
    assert control["verdict"] == "" and control["low"] < 0.03
    assert not find_part("H3", "dynamics - control", "near_miss_vs_hard.auroc_difference").decides


def test_the_label_family_is_in_no_arm():
    frame = verdicts({"label.loss": {NEAR: 9.0}})
    assert frame[frame["metric"] == "near_miss_vs_hard.auroc"]["value"].max() < 0.65


@pytest.mark.parametrize("missing", [HARD, NEAR])
def test_an_absent_type_leaves_its_claims_undecided(missing):
    frame = verdicts(counts={**synthetic.COUNTS, missing: 0})
    assert [of(frame, claim.name) for claim in CLAIMS] == ["undecided"] * 3
    assert cell(frame, "H2", "all", "verdict")["n"] == 0
    assert cell(frame, "H1", "geometry", "gross_vs_clean.auroc")["verdict"] == "supported"
    assert np.isnan(cell(frame, "H3", "dynamics", "near_miss_vs_hard.f1")["value"])
    assert "undecided" in verdict_lines(frame)


def test_a_type_from_one_photograph_is_undecided():
    truth = synthetic.ledger()
    groups = np.where(truth["anomaly_type"] == AnomalyType.OOD, -1, np.arange(len(truth)))
    frame = judge(synthetic.whole(synthetic.features(truth)), truth, groups, draws=50)
    assert cell(frame, "H1", "geometry", "ood_vs_clean.auroc")["verdict"] == "undecided"


def from_sources(kind, count):
    """The world as claimed, where the rows of one type come from so many photographs; its ledger and its groups."""
    truth = synthetic.ledger()
    own = np.arange(len(truth))
    return truth, np.where(truth["anomaly_type"] == kind, -1 - own % count, own)


def test_a_type_from_under_five_photographs_has_a_value_but_no_interval_and_no_verdict():
    for count, verdict in ((4, "undecided"), (5, "supported")):
        truth, groups = from_sources(AnomalyType.OOD, count)
        frame = judge(synthetic.whole(synthetic.features(truth)), truth, groups, draws=50)
        row = cell(frame, "H1", "geometry", "ood_vs_clean.auroc")
        assert row["value"] > 0.95 and row["n"] == 480 and row["verdict"] == verdict
        assert np.isnan(row["low"]) == np.isnan(row["high"]) == (count < 5)
        assert np.isfinite(cell(frame, "H1", "geometry", "gross_vs_clean.auroc")["low"])
        assert ("too few sources" in verdict_lines(frame)) == (count < 5)
        assert np.isnan(cell(frame, "H1", "geometry", "ood_vs_clean.f1")["low"]) == (count < 5)
        assert of(frame, "H1") == "undecided" or count == 5


def test_truth_among_the_features_is_leakage():
    truth = synthetic.ledger()
    frames = [frame.assign(**{"dynamics.true_label": 0.0}) for frame in synthetic.features(truth)]
    with pytest.raises(Leakage):
        judge(frames, truth, np.arange(len(truth)))


def test_tables_and_groups_must_fit():
    truth = synthetic.ledger()
    with pytest.raises(BadData, match="no feature table"):
        judge([], truth, np.arange(len(truth)))
    with pytest.raises(BadData, match="3 groups"):
        judge(synthetic.features(truth), truth, np.arange(3))


def test_verdicts_come_from_the_seed_alone():
    assert verdicts(counts=FEW, draws=50).equals(verdicts(counts=FEW, draws=50))


def test_the_terminal_table_shows_each_row_once_and_shouts_the_verdicts(reversed_):
    text = verdict_lines(reversed_)
    assert len(text.splitlines()) == len(reversed_) + 1
    assert text.count("REFUTED") == 3
    assert "nan" not in text and max(map(len, text.splitlines())) <= 120


def test_an_arm_that_lacks_a_signal_decides_nothing():
    truth = synthetic.ledger(MANY)
    frames = [frame.drop(columns="uncertainty.confidence") for frame in synthetic.whole(synthetic.features(truth))]
    found = judge(frames, truth, np.arange(len(truth)), draws=100)
    assert [of(found, claim.name) for claim in CLAIMS] == ["supported", "undecided", "undecided"]
