"""Where the truth is known, how often do the claims come out as they should? A referee's question, counted."""

from collections import Counter
from functools import partial

import numpy as np
import pytest
from scipy.stats import norm
from simulated import World

from anomaly_mlflow.detection.statistics import interval
from anomaly_mlflow.studies.claims import DYNAMICS, UNCERTAINTY, find_claims
from anomaly_mlflow.studies.comparison import compare
from anomaly_mlflow.studies.decisions import decide
from anomaly_mlflow.studies.hypotheses import joined, judge

DRAWS = 200
UNCERTAIN = 0.3  # standard deviations: uncertainty sees something too
NOTHING = World(UNCERTAIN, 0.0)
TENTH = World(UNCERTAIN, 0.625)
MARGIN = World(UNCERTAIN, 0.28)
ALIKE = World(0.0, 0.0, n=1000)


def apart(auroc, **more):
    """Uncertainty's best detector reaches this AUROC."""
    one = World(1.0, 0.0)
    return World(norm.ppf(auroc) / norm.ppf(one.auroc(UNCERTAINTY.columns)), 0.0, **more)


def decision(world, claim, number):
    """What `judge` says of the claim's deciding part in one simulated study."""
    part = find_claims(claim)[0].parts[0]
    frames, ledger = world.study(number)
    groups = ledger["sample_id"].to_numpy()
    compared = compare(joined(frames, ledger, groups), groups, part, part.arms, number)
    return decide(part, compared, partial(interval, draws=DRAWS, seed=number))


def count(world, claim, studies):
    return Counter(str(decision(world, claim, number).verdict) for number in range(studies))


def test_the_worlds_are_what_they_are_called():
    assert NOTHING.gain <= 0.0 and NOTHING.auroc(UNCERTAINTY.columns) > 0.57
    assert TENTH.gain == pytest.approx(0.10, abs=0.01)
    assert MARGIN.gain == pytest.approx(0.03, abs=0.005)
    assert ALIKE.auroc(UNCERTAINTY.columns) == 0.5
    assert apart(0.55).auroc(UNCERTAINTY.columns) == pytest.approx(0.55)
    assert max(TENTH.auroc([column]) for column in DYNAMICS.columns) < TENTH.auroc(DYNAMICS.columns)


def test_what_is_counted_is_what_judge_says():
    world = World(UNCERTAIN, 0.8, n=100, seeds=2)
    frames, ledger = world.study(3)
    for claim in ("H2", "H3"):
        found = judge(frames, ledger, np.arange(200), seed=3, draws=DRAWS, claims=find_claims(claim))
        said = decision(world, claim, 3)
        assert found["verdict"].iloc[0] == str(said.verdict)
        assert found["value"].iloc[0] == pytest.approx(said.interval.value)


def test_a_single_signal_beyond_the_margin_keeps_equivalence_from_being_supported():
    world = apart(0.56, n=300, seeds=2)
    for number in range(30):
        said = decision(world, "H2", number)
        outside = said.farthest_interval.high > 0.55 or said.farthest_interval.low < 0.45
        if outside and said.interval.low >= 0.45 and said.interval.high <= 0.55:
            assert str(said.verdict) == "undecided" and said.farthest in UNCERTAINTY.columns
            return
    pytest.fail("no study in which the detector alone would have been called equivalent")


def test_few_small_studies_of_each_world():
    assert count(World(UNCERTAIN, 0.0, n=120, seeds=2), "H3", 10)["supported"] <= 1
    assert count(World(UNCERTAIN, 1.0, n=120, seeds=2), "H3", 10)["supported"] >= 8
    assert count(apart(0.55, n=200, seeds=2), "H2", 10)["supported"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "claim", "least", "most"),
    [
        pytest.param(NOTHING, "H3", 0, 10, id="dynamics carry nothing beyond uncertainty"),
        pytest.param(MARGIN, "H3", 0, 10, id="dynamics gain no more than the margin"),
        pytest.param(TENTH, "H3", 80, 100, id="dynamics gain .10"),
        pytest.param(ALIKE, "H2", 80, 100, id="uncertainty is alike"),
        pytest.param(apart(0.55, n=1000), "H2", 0, 10, id="uncertainty at the margin"),
        pytest.param(apart(0.55, n=300), "H2", 0, 10, id="uncertainty at the margin, few rows"),
        pytest.param(apart(0.58, n=1000), "H2", 0, 5, id="uncertainty beyond the margin"),
    ],
)
def test_a_hundred_studies(world, claim, least, most):
    found = count(world, claim, 100)
    print(f"{claim} {world}: {dict(found)}")
    assert least <= found["supported"] <= most, found


@pytest.mark.slow
def test_the_interval_covers_the_true_gain_where_seeds_differ():
    world = World(UNCERTAIN, 0.625, n=300, seed_spread=0.1)
    found = [decision(world, "H3", number).interval for number in range(100)]
    mean = np.mean([ends.value for ends in found])  # a detector that is fitted reaches a little less than the optimum
    assert mean == pytest.approx(world.gain, abs=0.03)
    assert np.mean([ends.low <= mean <= ends.high for ends in found]) >= 0.9
