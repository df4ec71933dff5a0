"""Given labels -> relabel some of them or label more? Probes on embeddings, a frontier, and a recommendation."""

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.cleaning.budget import AccuracyGrid
from anomaly_mlflow.cleaning.budget_advice import advise
from anomaly_mlflow.cleaning.budget_checks import error_rate, errors_found, misfit
from anomaly_mlflow.cleaning.budget_plan import measured, mixes
from anomaly_mlflow.cleaning.budget_surface import fit_surface
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.split import at_most
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.models.frozen import frozen_digest
from anomaly_mlflow.report.budget_page import BudgetPlan, budget_page, mix_sentence
from anomaly_mlflow.report.figures.budget import budget_figure
from anomaly_mlflow.tracking.run import Run
from entry_points.budget_probes import measure_probes, views_of
from entry_points.environment import environment
from entry_points.injecting import errors_made, injecting
from entry_points.ledger import read_ledger
from entry_points.named_runs import all_needs
from entry_points.options import as_typed
from entry_points.resolve import resolve
from entry_points.sample_files import read_samples
from entry_points.step import STEPS, Upstream, step
from entry_points.trained import TRAINING, check_pretrained

AUTO_SHARE = 0.1
"""Budget where none is typed: checks of this share of the labels."""

TESTED = 5000


def check_plan(options: dict) -> None:
    """Raises what the steps upstream raise for these options, and for an encoder that cannot be, before all else."""
    options = injecting(options)
    check_pretrained(options)
    if options["geometry_encoder"]:
        frozen_digest(options["geometry_encoder"])
    for name in ("generate_noise", *all_needs(STEPS["generate_noise"], options)):
        STEPS[name].check(options)


@step(
    "plan_budget",
    own=("inject", *TRAINING, "validation_folds", "geometry_encoder", "budget", "label_cost", "probe_seeds", "seed"),
    needs=("generate_noise",),
    trains=True,
    check=check_plan,
    narrow=lambda options: (),
)
def plan_budget(run: Run, options: dict, upstream: Upstream) -> None:
    """Check labels that there are, or label more? Foretell what a budget buys; the truth is not read for it."""
    options = injecting(options)
    noise = Run(resolve(STEPS["generate_noise"], options, run)[0])
    samples, test = read_samples(noise, as_anybody_sees_them=True)
    run.log_dataset(samples.images, samples.labels, samples.name, run.tags["anomaly.dataset"], "given labels")
    test = test.take(at_most(test.labels, TESTED, seed=0))
    probabilities, views = views_of(run, samples, test, options)
    rate = error_rate(probabilities, samples.labels, samples.groups, seed=options["seed"])
    grid = measure_probes(samples, test, views, rate.value, _right(noise), options)
    plan = _plan(samples, probabilities, rate, grid, options)
    _log(run, plan, options, _by_ledger(noise, samples, misfit(probabilities, samples.labels), plan.checks))
    run.log_json({"generate_noise": [noise.id]}, "upstream.json")


def _plan(samples: Samples, probabilities: np.ndarray, rate: Interval, grid: AccuracyGrid, options: dict) -> BudgetPlan:
    labels, surface = len(samples), fit_surface(grid)
    money = {"budget": options["budget"] or float(round(AUTO_SHARE * labels)), "label_cost": options["label_cost"]}
    found = errors_found(probabilities, samples.labels, rate.value, seed=options["seed"])
    checks = min(labels, int(money["budget"]))
    hits = min(1.0, float(found[checks]) / max(checks, 1))
    return BudgetPlan(
        samples.name,
        labels,
        money["budget"],
        rate,
        checks,
        hits,
        advise(surface, labels=labels, rate=rate.value, hit_rate=hits, **money),
        advise(surface, labels=labels, rate=rate.value, **money),
        *mixes(surface, labels, rate.value, found, **money),
        measured(surface),
        options["geometry_encoder"] is not None,
    )


def _right(noise: Run) -> bool:
    """Whether the test labels are better than the given ones: a set of its own, or errors were put beside them."""
    config = noise.json("config.json")
    return bool(config.get("test") or config.get("labels")) or errors_made(noise)


def _by_ledger(noise: Run, samples: Samples, misfit: np.ndarray, checks: int) -> dict[str, str]:
    """What the truth says, for the page alone; nothing where nobody knows it."""
    kinds = read_ledger(noise, samples.sample_id)["anomaly_type"]
    wrong = ~kinds.isin([AnomalyType.CLEAN, AnomalyType.HARD]).to_numpy()
    if not wrong.any():
        return {}
    told = {"wrong labels by the ledger (not used)": f"{wrong.mean():.1%}"}
    if checks:
        found = wrong[np.argsort(-misfit, kind="stable")[:checks]].mean()
        told["wrong among the checked by the ledger (not used)"] = f"{found:.1%}"
    return told


def _log(run: Run, plan: BudgetPlan, options: dict, truth: dict[str, str]) -> None:
    for name, frame in {"frontier": plan.table, "measured": plan.measured}.items():
        run.log_frame(frame, f"{name}.csv")
        run.log_table(frame.round(4), f"{name}.json")
    one = plan.ranked
    gains = {"gain_of_checking": one.relabelled, "gain_of_labelling": one.more, "difference": one.difference}
    told = {name: vars(each) for name, each in (gains | {"rate": plan.rate}).items()}
    told |= {"choice": one.choice, "sentence": one.sentence, "best_mix": mix_sentence(plan), "budget": plan.budget}
    run.log_json(told, "advice.json")
    run.log_metrics({name: each.value for name, each in (gains | {"error_rate": plan.rate}).items()})
    run.log_figure(budget_figure(plan.grid, plan.table), "frontier.png")
    facts = {**truth, **as_typed(options, STEPS["plan_budget"].options), **environment(), "this run": run.link}
    run.log_text(budget_page(plan, facts), "report.html")
    print(f"\n{one.sentence}\n{mix_sentence(plan)}")
    print("\n".join(f"{name}: {value}" for name, value in truth.items()) + f"\n\nrun: {run.link}")
