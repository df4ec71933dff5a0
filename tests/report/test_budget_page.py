"""The page of the budget planner, from planted curves: the recommendation on top, no outside address."""

import re
from dataclasses import replace

import numpy as np
import pytest

from anomaly_mlflow.cleaning.budget import AccuracyGrid
from anomaly_mlflow.cleaning.budget_advice import advise
from anomaly_mlflow.cleaning.budget_plan import measured, mixes
from anomaly_mlflow.cleaning.budget_surface import fit_surface
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.report.budget_page import BudgetPlan, budget_page, mix_sentence

HOSTILE = "<b>pets</b>"


@pytest.fixture(scope="module")
def plan():
    sizes, rates, rng = np.array([50, 100, 200, 400]), np.array([0.2, 0.3, 0.4]), np.random.default_rng(0)
    exact = 1 - (0.1 + 2 * (sizes[:, None] * (1 - rates * 4 / 3) ** 2) ** -0.5)
    grid = AccuracyGrid(sizes, rates, 4, exact + 0.002 * rng.normal(size=(3, 4, 3)), "planted labels")
    surface, found = fit_surface(grid), np.minimum(0.8 * np.arange(401.0), 80)
    money = {"budget": 60.0, "label_cost": 3.0}
    ranked, drawn = (advise(surface, labels=400, rate=0.2, hit_rate=hits, **money) for hits in (0.8, None))
    mixed = mixes(surface, 400, 0.2, found, **money)
    rate = Interval(0.2, 0.17, 0.23)
    return BudgetPlan(HOSTILE, 400, 60.0, rate, 60, 0.8, ranked, drawn, *mixed, measured(surface), False)


def test_the_recommendation_stands_on_top_and_the_figure_first(plan):
    page = budget_page(plan, {"wrong labels by the ledger (not used)": "19.0%"})
    assert not re.search(r'(src|href)="?https?:', page) and "<script" not in page and HOSTILE not in page
    place = [
        page.index("Check labels: with 400"),
        page.index("data:image/png"),
        page.rindex("All of the budget on one"),
    ]
    assert place == sorted(place)
    for said in ("20.0% of the 400 labels are wrong (95 % 17.0% to 23.0%", "the 60 most suspicious", "80.0%", "19.0%"):
        assert said in page, said
    assert mix_sentence(plan) in page and "more labels and 60 checks, which cost 60" in mix_sentence(plan)


def test_what_the_embeddings_have_learnt_from_is_said(plan):
    assert "are cross-fitted" in budget_page(plan, {}) and "frozen encoder" not in budget_page(plan, {})
    frozen = budget_page(replace(plan, frozen=True), {})
    assert "frozen encoder that has learnt nothing" in frozen and "are cross-fitted" not in frozen
