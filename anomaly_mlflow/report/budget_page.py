"""The page of `plan_budget`: check labels that there are, or label more?"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from anomaly_mlflow.cleaning.budget import AccuracyGrid
from anomaly_mlflow.cleaning.budget_advice import Advice
from anomaly_mlflow.cleaning.budget_plan import best_mix
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.report.figures.budget import budget_figure
from anomaly_mlflow.report.page import Section, render_page

__all__ = ["BudgetPlan", "budget_page", "mix_sentence"]

CROSS_FIT = (
    "The embeddings are cross-fitted: the encoder of a fold has learnt from the given labels of the other folds and has"
    " seen neither the rows that a probe learns from nor the test images, so that no label leaks into its own embedding"
    " (those of a model trained on all given labels would already separate the wrong ones). The encoder stays as it is"
    " while the probe gets more labels or better ones. Retrained, it would gain from both: what is foretold is rather"
    " too little for both, and too flat in the number of labels above all."
)
FROZEN = (
    "The embeddings are those of a frozen encoder that has learnt nothing from these labels: none leaks. What is"
    " foretold is for a linear model on it; a network that learns its own features gains more from more labels."
)
LIMITS = (
    "The share of wrong labels is estimated by the confident joint, which counts the models' own mistakes too: rather"
    " too high. Its interval holds the draw of the rows alone.",
    "How many wrong labels the checks find is estimated from labels exchanged at random as the confident joint has it;"
    " errors that fit better than these do, as those of people may, are found later. Checks are taken to be right.",
    "The probes meet further errors that are uniform over the other classes; errors between similar classes cost more."
    " Fewer errors than there are cannot be measured: there, and beyond the rows of a fold, fitted curves extrapolate.",
    "Intervals are over folds and draws of rows and errors. These share rows and test images, so that they are rather"
    " too narrow for another data set, and they do not hold the error of the estimated share of wrong labels.",
)


@dataclass(frozen=True)
class BudgetPlan:
    """What the page tells.

    name: of the data set; labels: how many there are; budget: in checks of one label; rate: share that is wrong, as
    estimated; checks: what the budget pays for, with hit_rate, the share of these that is expected to be wrong;
    ranked, drawn: advice for checks of the most suspicious labels and of labels drawn at random; grid, table: as
    `mixes`; measured: as `budget_plan.measured`; frozen: whether the encoder has learnt nothing here.
    """

    name: str
    labels: int
    budget: float
    rate: Interval
    checks: int
    hit_rate: float
    ranked: Advice
    drawn: Advice
    grid: AccuracyGrid
    table: pd.DataFrame
    measured: pd.DataFrame
    frozen: bool


def budget_page(plan: BudgetPlan, facts: Mapping[str, object]) -> str:
    """One self-contained page, the recommendation on top and the figure first."""
    share = f"An estimated {plan.rate.value:.1%} of the {plan.labels:,} labels are wrong" + _ends(plan.rate)
    best = plan.table[plan.table["best"]].drop(columns="best").round({"cost": 2})
    caption = (
        "Foretold by the fitted curves. Left: framed is what nothing as cheap beats; right: the cost in checks of"
        " one label, beyond the labels that there are; bars are 95 % over folds and draws."
    )
    sections = [
        Section("The frontier", [mix_sentence(plan)], [(budget_figure(plan.grid, plan.table), caption)], best),
        Section("All of the budget on one of them", [share], table=_advice_table(plan)),
        Section(
            "What the probes reached",
            [f"Logistic regression on the embeddings; accuracy against {plan.grid.against}. fitted: the curve there."],
            table=plan.measured,
        ),
        Section("How to read this", [FROZEN if plan.frozen else CROSS_FIT, *LIMITS]),
    ]
    return render_page(f"Labelling budget of {plan.name}", plan.ranked.sentence, sections, facts)


def mix_sentence(plan: BudgetPlan) -> str:
    """The best mix within the budget, in words."""
    best = best_mix(plan.table, plan.budget)
    return (
        f"Of {len(plan.table)} mixes the best within the budget of {plan.budget:g}: {best['added']:,} more labels and "
        f"{best['checks']:,} checks, which cost {best['cost']:.4g}; foretold accuracy {best['accuracy']:.4f} "
        f"[{best['low']:.4f}, {best['high']:.4f}]."
    )


def _advice_table(plan: BudgetPlan) -> pd.DataFrame:
    rows = []
    ranked = (f"the {plan.checks:,} most suspicious", plan.hit_rate, plan.ranked)
    for words, hits, one in (ranked, (f"{plan.checks:,} drawn at random", plan.rate.value, plan.drawn)):
        gains = [f"{end:+.4f}" for each in (one.relabelled, one.more, one.difference) for end in vars(each).values()]
        rows.append((words, f"{hits:.1%}", one.choice.replace("_", " "), *gains))
    ends = [f"{name}{end}" for name in ("checking", "labelling", "difference") for end in ("", ", low", ", high")]
    return pd.DataFrame(rows, columns=["checked labels", "wrong among them", "choice", *ends])


def _ends(rate: Interval) -> str:
    return f" (95 % {rate.low:.1%} to {rate.high:.1%}, by the confident joint)."
