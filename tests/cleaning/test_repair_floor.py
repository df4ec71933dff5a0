"""The floor under a repair: how many of the contradicted labels are surely contradicted."""

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.cleaning import CLEANERS
from anomaly_mlflow.cleaning.base import OUTSIDE, Cleaned
from anomaly_mlflow.cleaning.repair import Reason, repairs
from anomaly_mlflow.cleaning.repair_floor import FLOOR, left_alone, repairable_share

CLASSES = 10


def test_the_witnesses_that_a_repair_needs_bring_the_predictions_that_the_floor_needs():
    witnesses = [one for one in CLEANERS.values() if one.repairs and one.mechanism in OUTSIDE]
    assert witnesses and all("out_of_fold" in one.needs for one in witnesses)


def test_the_share_by_hand():
    reasons = [
        "",
        Reason.NOT_SURE,
        Reason.BEYOND_CAP,
        Reason.ONE_MECHANISM,
        Reason.NOT_DOUBTED,
        Reason.BEYOND_CLASS_CAP,
    ]
    confidence = [0.95 - 1e-12, 0.94, 1.0, 0.99, 0.0, 0.97]
    frame = pd.DataFrame({"given": 0, "reason": [str(one) for one in reasons], "confidence": confidence})
    assert repairable_share(frame, np.array([1, 1, 1, 1, 0, 1])) == 3 / 5  # .95, 1.0 and .97 of five contradicted
    assert repairable_share(frame, np.zeros(6, np.int64)) == 0


def two_witnesses(truth, given, rng):
    """What models of other folds and the embedding say: wrong for every fourth image, and mostly less sure there."""
    mistaken, told = rng.random(len(truth)) < 0.25, {}
    proposed = np.where(mistaken, (truth + 1) % CLASSES, truth)
    for name in ("confident_learning", "neighbour_vote"):
        sure = np.where(mistaken, rng.uniform(0.3, 1, len(truth)), rng.uniform(0.7, 1, len(truth)))
        told[name] = Cleaned(np.where(proposed == given, sure, 1 - sure), proposed == given, proposed, sure)
    return proposed, told


@pytest.fixture(params=[0.0, 0.2, 0.3])
def world(request):
    """Share of wrong labels, given labels, what models of other folds predict, two cleaners."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, CLASSES, 4000)
    given = np.where(rng.random(4000) < request.param, (truth + rng.integers(2, CLASSES, 4000)) % CLASSES, truth)
    return request.param, given, *two_witnesses(truth, given, rng)


def test_right_labels_of_a_made_up_world_stay_below_the_floor_and_wrong_ones_lift_above_it(world):
    wrong, given, predicted, told = world
    frame = repairs(np.arange(4000), given, told)
    share = repairable_share(frame, predicted)
    assert frame["repaired"].any()
    assert share > FLOOR if wrong else share < FLOOR


def test_what_is_asked_of_the_repair_does_not_move_the_share(world):
    _, given, predicted, told = world
    asked = [{}, {"cap": 0.0}, {"cap": 0.01}, {"least_confidence": 0.5}, {"least_confidence": 1.0}]
    shares = {repairable_share(repairs(np.arange(4000), given, told, **one), predicted) for one in asked}
    assert len(shares) == 1


def test_left_alone_changes_nothing_and_says_what_would_have_been(world):
    _, given, _, told = world
    made = repairs(np.arange(4000), given, told, cap=0.01)
    frame = left_alone(made)
    assert made["repaired"].any() and made["set_aside"].any()
    assert not frame["repaired"].any() and not frame["set_aside"].any()
    assert np.array_equal(frame["reason"] == str(Reason.BELOW_FLOOR), made["repaired"])
    assert np.array_equal(frame["reason"] == str(Reason.BELOW_FLOOR_ASIDE), made["set_aside"])
    kept = ["sample_id", "given", "suggested", "confidence", "mechanisms", "type"]
    pd.testing.assert_frame_equal(frame[kept], made[kept])
